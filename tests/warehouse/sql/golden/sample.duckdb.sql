SELECT
  t."payment_id",
  t."amount_gbp",
  t."age_days",
  t."odd ""name`",
  t."channel",
  t."age_band",
  t."text",
  t."score",
  t."action",
  t."let_through",
  t."day"
FROM READ_PARQUET($v0, union_by_name = TRUE, hive_partitioning = TRUE) AS t
ORDER BY
  MD5(CONCAT(CAST(t."payment_id" AS TEXT), $v1)),
  t.filename,
  t.file_row_number
LIMIT $v2
