SELECT
  d,
  score,
  card,
  fraud,
  COUNT(*) AS cards
FROM (
  SELECT
    d,
    score,
    fraud,
    CASE WHEN ever = 1 THEN FARM_FINGERPRINT(CAST(e AS STRING)) END AS card
  FROM (
    SELECT
      d,
      e,
      score,
      fraud,
      MAX(fraud) OVER (PARTITION BY e) AS ever,
      RANK() OVER (PARTITION BY d ORDER BY score DESC) AS place
    FROM (
      SELECT
        DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
        t.`odd "name``` AS e,
        MAX(CAST(t.`score` AS FLOAT64)) AS score,
        MAX(CASE WHEN k.fraud THEN 1 ELSE 0 END) AS fraud
      FROM `cards`.`features` AS t
      LEFT JOIN (
        SELECT
          id,
          COALESCE(fraud_at >= COALESCE(clear_at, fraud_at), FALSE) AS fraud,
          first_fraud
        FROM (
          SELECT
            id,
            MAX(CASE WHEN label THEN known_at END) AS fraud_at,
            MAX(CASE WHEN NOT label THEN known_at END) AS clear_at,
            MIN(CASE WHEN label THEN known_at END) AS first_fraud
          FROM (
            SELECT
              id,
              label,
              known_at
            FROM (
              SELECT
                t.`payment_id` AS id,
                CAST(t.`is_fraud` AS BOOL) AS label,
                CAST(t.`known_at` AS DATETIME) AS known_at
              FROM `cards`.`labels` AS t
              WHERE
                t.`day` BETWEEN @v1 AND @v2
            ) AS e
            WHERE
              known_at < CAST(@v0 AS DATETIME) AND NOT label IS NULL AND NOT id IS NULL
          )
          GROUP BY
            id
        )
      ) AS k
        ON k.id = t.`payment_id`
      WHERE
        t.`day` BETWEEN @v1 AND @v2
        AND NOT COALESCE(CAST(t.`action` AS STRING) IN (@v3), FALSE)
        AND (
          NOT (
            IS_NAN(CAST(t.`score` AS FLOAT64)) OR IS_INF(CAST(t.`score` AS FLOAT64))
          )
        )
        AND NOT t.`odd "name``` IS NULL
      GROUP BY
        d,
        e
    ) AS c
  ) AS r
  WHERE
    place <= @v4
) AS f
GROUP BY
  d,
  score,
  card,
  fraud
