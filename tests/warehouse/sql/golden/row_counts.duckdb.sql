SELECT
  DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
  COUNT(*) AS n
FROM READ_PARQUET($v0, union_by_name = TRUE, hive_partitioning = TRUE) AS t
GROUP BY
  d
