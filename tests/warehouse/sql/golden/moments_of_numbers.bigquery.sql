SELECT
  d,
  COUNT(*) AS n,
  CAST(SUM(z0) AS INT64) AS m0,
  CAST(SUM(z1) AS INT64) AS m1,
  CAST(SUM(z0 * z0) AS INT64) AS m2,
  CAST(SUM(z0 * z1) AS INT64) AS m3,
  CAST(SUM(z1 * z1) AS INT64) AS m4
FROM (
  SELECT
    DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
    CASE
      WHEN CAST(t.`age_days` AS FLOAT64) BETWEEN @v6 AND @v7
      THEN FLOOR((
        (
          CAST(t.`age_days` AS FLOAT64) - @v2
        ) * @v3
      ) * 64.0 + 0.5)
      WHEN CAST(t.`age_days` AS FLOAT64) IS NULL
      OR NOT (
        NOT (
          IS_NAN(CAST(t.`age_days` AS FLOAT64)) OR IS_INF(CAST(t.`age_days` AS FLOAT64))
        )
      )
      THEN 0.0
      ELSE FLOOR(
        LEAST(
          GREATEST(
            (
              (
                LEAST(GREATEST(CAST(t.`age_days` AS FLOAT64), @v4), @v5) - @v2
              ) * @v3
            ),
            -128.0
          ),
          128.0
        ) * 64.0 + 0.5
      )
    END AS z0,
    CASE
      WHEN CAST(t.`amount_gbp` AS FLOAT64) BETWEEN @v13 AND @v14
      THEN FLOOR(
        (
          SIGN((
            (
              CAST(t.`amount_gbp` AS FLOAT64) - @v8
            ) * @v9
          )) * LN(1 + ABS((
            (
              CAST(t.`amount_gbp` AS FLOAT64) - @v8
            ) * @v9
          ))) * @v10
        ) * 64.0 + 0.5
      )
      WHEN CAST(t.`amount_gbp` AS FLOAT64) IS NULL
      OR NOT (
        NOT (
          IS_NAN(CAST(t.`amount_gbp` AS FLOAT64))
          OR IS_INF(CAST(t.`amount_gbp` AS FLOAT64))
        )
      )
      THEN 0.0
      ELSE FLOOR(
        LEAST(
          GREATEST(
            (
              SIGN(
                (
                  (
                    LEAST(GREATEST(CAST(t.`amount_gbp` AS FLOAT64), @v11), @v12) - @v8
                  ) * @v9
                )
              ) * LN(
                1 + ABS(
                  (
                    (
                      LEAST(GREATEST(CAST(t.`amount_gbp` AS FLOAT64), @v11), @v12) - @v8
                    ) * @v9
                  )
                )
              ) * @v10
            ),
            -128.0
          ),
          128.0
        ) * 64.0 + 0.5
      )
    END AS z1
  FROM `cards`.`features` AS t
  WHERE
    t.`day` BETWEEN @v0 AND @v1
) AS r
GROUP BY
  d
