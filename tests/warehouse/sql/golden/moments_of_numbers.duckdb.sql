SELECT
  d,
  COUNT(*) AS n,
  CAST(SUM(z0) AS BIGINT) AS m0,
  CAST(SUM(z1) AS BIGINT) AS m1,
  CAST(SUM(z0 * z0) AS BIGINT) AS m2,
  CAST(SUM(z0 * z1) AS BIGINT) AS m3,
  CAST(SUM(z1 * z1) AS BIGINT) AS m4
FROM (
  SELECT
    DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
    CASE
      WHEN CAST(t."age_days" AS DOUBLE) BETWEEN $v4 AND $v5
      THEN FLOOR((
        (
          CAST(t."age_days" AS DOUBLE) - $v0
        ) * $v1
      ) * 64.0 + 0.5)
      WHEN CAST(t."age_days" AS DOUBLE) IS NULL
      OR NOT ISFINITE(CAST(t."age_days" AS DOUBLE))
      THEN 0.0
      ELSE FLOOR(
        LEAST(
          GREATEST(
            (
              (
                LEAST(GREATEST(CAST(t."age_days" AS DOUBLE), $v2), $v3) - $v0
              ) * $v1
            ),
            -128.0
          ),
          128.0
        ) * 64.0 + 0.5
      )
    END AS z0,
    CASE
      WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN $v11 AND $v12
      THEN FLOOR(
        (
          SIGN((
            (
              CAST(t."amount_gbp" AS DOUBLE) - $v6
            ) * $v7
          )) * LN(1 + ABS((
            (
              CAST(t."amount_gbp" AS DOUBLE) - $v6
            ) * $v7
          ))) * $v8
        ) * 64.0 + 0.5
      )
      WHEN CAST(t."amount_gbp" AS DOUBLE) IS NULL
      OR NOT ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
      THEN 0.0
      ELSE FLOOR(
        LEAST(
          GREATEST(
            (
              SIGN(
                (
                  (
                    LEAST(GREATEST(CAST(t."amount_gbp" AS DOUBLE), $v9), $v10) - $v6
                  ) * $v7
                )
              ) * LN(
                1 + ABS(
                  (
                    (
                      LEAST(GREATEST(CAST(t."amount_gbp" AS DOUBLE), $v9), $v10) - $v6
                    ) * $v7
                  )
                )
              ) * $v8
            ),
            -128.0
          ),
          128.0
        ) * 64.0 + 0.5
      )
    END AS z1
  FROM READ_PARQUET($v13, union_by_name = TRUE, hive_partitioning = TRUE) AS t
) AS r
GROUP BY
  d
