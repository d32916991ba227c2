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
      ELSE CASE CAST(t.s0 AS TEXT) WHEN $v11 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    CASE
      WHEN CAST(t."age_days" AS DOUBLE) BETWEEN $v8 AND $v9
      THEN CAST(FLOOR((
        (
          CAST(t."age_days" AS DOUBLE) - $v6
        ) * $v7
      )) AS INT)
      WHEN t."age_days" IS NULL
      THEN (
        -20000
      )
      WHEN CAST(t."age_days" AS DOUBLE) IS NULL
      OR NOT ISFINITE(CAST(t."age_days" AS DOUBLE))
      THEN (
        -20001
      )
      ELSE CAST(LEAST(
        GREATEST(
          FLOOR(
            (
              (
                LEAST(GREATEST(CAST(t."age_days" AS DOUBLE), $v4), $v5) - $v6
              ) * $v7
            )
          ),
          (
            -128
          )
        ),
        127
      ) AS INT)
    END AS c,
    t.n,
    CASE
      WHEN CAST(t."age_days" AS DOUBLE) BETWEEN $v0 AND $v1
      THEN CAST(FLOOR(CAST(t."age_days" AS DOUBLE) * $v2 + 0.5) AS BIGINT)
      WHEN ISFINITE(CAST(t."age_days" AS DOUBLE))
      THEN CAST(SIGN(CAST(t."age_days" AS DOUBLE)) * $v3 AS BIGINT)
    END * t.n AS x
  FROM (
    SELECT
      d,
      s0,
      t."age_days",
      COUNT(*) AS n
    FROM (
      SELECT
        DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
        t."channel" AS s0,
        t."age_days"
      FROM READ_PARQUET($v10, union_by_name = TRUE, hive_partitioning = TRUE) AS t
    ) AS t
    GROUP BY
      d,
      s0,
      t."age_days"
  ) AS t
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, c)
  )
