SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  c,
  CAST(SUM(n) AS BIGINT) AS n,
  CAST(COALESCE(SUM(x), 0) // 4294967296 AS BIGINT) AS high,
  CAST(COALESCE(SUM(x), 0) % 4294967296 AS BIGINT) AS low
FROM (
  SELECT
    t.d,
    CASE
      WHEN CAST(t.s0 AS TEXT) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.s0 AS TEXT) WHEN $v2 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    CASE
      WHEN t."odd ""name`" IS NULL
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
      t."odd ""name`",
      COUNT(*) AS n
    FROM (
      SELECT
        DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
        t."channel" AS s0,
        t."odd ""name`"
      FROM READ_PARQUET($v1, union_by_name = TRUE, hive_partitioning = TRUE) AS t
    ) AS t
    GROUP BY
      d,
      s0,
      t."odd ""name`"
  ) AS t
  LEFT JOIN (
    SELECT
      SUBSTRING(e, 1, STRPOS(e, ':') - 1) AS w,
      CAST(SUBSTRING(
        SUBSTRING(e, STRPOS(e, ':') + 1),
        1,
        STRPOS(SUBSTRING(e, STRPOS(e, ':') + 1), ':') - 1
      ) AS BIGINT) AS cell,
      SUBSTRING(
        SUBSTRING(e, STRPOS(e, ':') + 1),
        STRPOS(SUBSTRING(e, STRPOS(e, ':') + 1), ':') + 1
      ) AS level
    FROM UNNEST(CAST($v0 AS TEXT[])) AS u(e)
  ) AS v
    ON v.w = '' AND v.level = CAST(t."odd ""name`" AS TEXT)
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, c)
  )
