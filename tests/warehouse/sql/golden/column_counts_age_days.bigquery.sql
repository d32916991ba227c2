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
      ELSE CASE CAST(t.s0 AS STRING) WHEN @v12 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    CASE
      WHEN CAST(t.`age_days` AS FLOAT64) BETWEEN @v8 AND @v9
      THEN CAST(FLOOR((
        (
          CAST(t.`age_days` AS FLOAT64) - @v6
        ) * @v7
      )) AS INT64)
      WHEN t.`age_days` IS NULL
      THEN (
        -20000
      )
      WHEN CAST(t.`age_days` AS FLOAT64) IS NULL
      OR NOT (
        NOT (
          IS_NAN(CAST(t.`age_days` AS FLOAT64)) OR IS_INF(CAST(t.`age_days` AS FLOAT64))
        )
      )
      THEN (
        -20001
      )
      ELSE CAST(LEAST(
        GREATEST(
          FLOOR(
            (
              (
                LEAST(GREATEST(CAST(t.`age_days` AS FLOAT64), @v4), @v5) - @v6
              ) * @v7
            )
          ),
          (
            -128
          )
        ),
        127
      ) AS INT64)
    END AS c,
    t.n,
    CASE
      WHEN CAST(t.`age_days` AS FLOAT64) BETWEEN @v0 AND @v1
      THEN CAST(FLOOR(CAST(t.`age_days` AS FLOAT64) * @v2 + 0.5) AS INT64)
      WHEN (
        NOT (
          IS_NAN(CAST(t.`age_days` AS FLOAT64)) OR IS_INF(CAST(t.`age_days` AS FLOAT64))
        )
      )
      THEN CAST(SIGN(CAST(t.`age_days` AS FLOAT64)) * @v3 AS INT64)
    END * t.n AS x
  FROM (
    SELECT
      d,
      s0,
      t.`age_days`,
      COUNT(*) AS n
    FROM (
      SELECT
        DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
        t.`channel` AS s0,
        t.`age_days`
      FROM `cards`.`features` AS t
      WHERE
        t.`day` BETWEEN @v10 AND @v11
    ) AS t
    GROUP BY
      d,
      s0,
      t.`age_days`
  ) AS t
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, c)
  )
