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
      WHEN CAST(t.`text`[0] AS FLOAT64) BETWEEN @v6 AND @v7
      THEN FLOOR((
        (
          CAST(t.`text`[0] AS FLOAT64) - @v2
        ) * @v3
      ) * 64.0 + 0.5)
      WHEN CAST(t.`text`[0] AS FLOAT64) IS NULL
      OR NOT (
        NOT (
          IS_NAN(CAST(t.`text`[0] AS FLOAT64)) OR IS_INF(CAST(t.`text`[0] AS FLOAT64))
        )
      )
      THEN 0.0
      ELSE FLOOR(
        LEAST(
          GREATEST(
            (
              (
                LEAST(GREATEST(CAST(t.`text`[0] AS FLOAT64), @v4), @v5) - @v2
              ) * @v3
            ),
            -128.0
          ),
          128.0
        ) * 64.0 + 0.5
      )
    END AS z0,
    CASE
      WHEN CAST(t.`text`[1] AS FLOAT64) BETWEEN @v6 AND @v7
      THEN FLOOR((
        (
          CAST(t.`text`[1] AS FLOAT64) - @v2
        ) * @v3
      ) * 64.0 + 0.5)
      WHEN CAST(t.`text`[1] AS FLOAT64) IS NULL
      OR NOT (
        NOT (
          IS_NAN(CAST(t.`text`[1] AS FLOAT64)) OR IS_INF(CAST(t.`text`[1] AS FLOAT64))
        )
      )
      THEN 0.0
      ELSE FLOOR(
        LEAST(
          GREATEST(
            (
              (
                LEAST(GREATEST(CAST(t.`text`[1] AS FLOAT64), @v4), @v5) - @v2
              ) * @v3
            ),
            -128.0
          ),
          128.0
        ) * 64.0 + 0.5
      )
    END AS z1
  FROM `cards`.`features` AS t
  WHERE
    t.`day` BETWEEN @v0 AND @v1 AND ARRAY_LENGTH(t.`text`) = 2
) AS r
GROUP BY
  d
