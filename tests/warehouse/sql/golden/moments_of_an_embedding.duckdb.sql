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
      WHEN CAST(t."text"[1] AS DOUBLE) BETWEEN $v4 AND $v5
      THEN FLOOR((
        (
          CAST(t."text"[1] AS DOUBLE) - $v0
        ) * $v1
      ) * 64.0 + 0.5)
      WHEN CAST(t."text"[1] AS DOUBLE) IS NULL OR NOT ISFINITE(CAST(t."text"[1] AS DOUBLE))
      THEN 0.0
      ELSE FLOOR(
        LEAST(
          GREATEST(
            (
              (
                LEAST(GREATEST(CAST(t."text"[1] AS DOUBLE), $v2), $v3) - $v0
              ) * $v1
            ),
            -128.0
          ),
          128.0
        ) * 64.0 + 0.5
      )
    END AS z0,
    CASE
      WHEN CAST(t."text"[2] AS DOUBLE) BETWEEN $v4 AND $v5
      THEN FLOOR((
        (
          CAST(t."text"[2] AS DOUBLE) - $v0
        ) * $v1
      ) * 64.0 + 0.5)
      WHEN CAST(t."text"[2] AS DOUBLE) IS NULL OR NOT ISFINITE(CAST(t."text"[2] AS DOUBLE))
      THEN 0.0
      ELSE FLOOR(
        LEAST(
          GREATEST(
            (
              (
                LEAST(GREATEST(CAST(t."text"[2] AS DOUBLE), $v2), $v3) - $v0
              ) * $v1
            ),
            -128.0
          ),
          128.0
        ) * 64.0 + 0.5
      )
    END AS z1
  FROM READ_PARQUET($v6, union_by_name = TRUE, hive_partitioning = TRUE) AS t
  WHERE
    ARRAY_LENGTH(t."text") = 2
) AS r
GROUP BY
  d
