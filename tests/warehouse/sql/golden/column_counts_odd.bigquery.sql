SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  c,
  CAST(SUM(n) AS INT64) AS n,
  CAST(DIV(COALESCE(SUM(x), 0), 4294967296) AS INT64) AS high,
  CAST(MOD(COALESCE(SUM(x), 0), 4294967296) AS INT64) AS low
FROM (
  SELECT
    t.d,
    CASE
      WHEN CAST(t.s0 AS STRING) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.s0 AS STRING) WHEN @v3 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    CASE
      WHEN t.`odd "name``` IS NULL
      THEN (
        -20000
      )
      ELSE COALESCE(v.cell, (
        -2
      ))
    END AS c,
    t.n,
    0 * t.n AS x
  FROM (
    SELECT
      d,
      s0,
      t.`odd "name```,
      COUNT(*) AS n
    FROM (
      SELECT
        DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
        t.`channel` AS s0,
        t.`odd "name```
      FROM `cards`.`features` AS t
      WHERE
        t.`day` BETWEEN @v1 AND @v2
    ) AS t
    GROUP BY
      d,
      s0,
      t.`odd "name```
  ) AS t
  LEFT JOIN (
    SELECT
      SUBSTRING(e, 1, INSTR(e, ':') - 1) AS w,
      CAST(SUBSTRING(SUBSTRING(e, INSTR(e, ':') + 1), 1, INSTR(SUBSTRING(e, INSTR(e, ':') + 1), ':') - 1) AS INT64) AS cell,
      SUBSTRING(SUBSTRING(e, INSTR(e, ':') + 1), INSTR(SUBSTRING(e, INSTR(e, ':') + 1), ':') + 1) AS level
    FROM UNNEST(CAST(@v0 AS ARRAY<STRING>)) AS e
  ) AS v
    ON v.w = '' AND v.level = CAST(t.`odd "name``` AS STRING)
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, c)
  )
