SELECT
  DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
  COUNT(*) AS n
FROM `cards`.`features` AS t
WHERE
  t.`day` BETWEEN @v0 AND @v1
GROUP BY
  d
