SELECT
  t.`payment_id`,
  t.`amount_gbp`,
  t.`age_days`,
  t.`odd "name```,
  t.`channel`,
  t.`age_band`,
  t.`text`,
  t.`score`,
  t.`action`,
  t.`let_through`,
  t.`day`
FROM `cards`.`features` AS t
WHERE
  t.`day` BETWEEN @v0 AND @v1
ORDER BY
  TO_HEX(MD5(CONCAT(COALESCE(CAST(t.`payment_id` AS STRING), ''), COALESCE(@v2, '')))) NULLS LAST,
  to_json_string(t) NULLS LAST
LIMIT @v3
