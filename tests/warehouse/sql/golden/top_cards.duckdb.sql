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
    CASE WHEN ever = 1 THEN HASH(CAST(e AS TEXT)) END AS card
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
        DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
        t."odd ""name`" AS e,
        MAX(CAST(t."score" AS DOUBLE)) AS score,
        MAX(CASE WHEN k.fraud THEN 1 ELSE 0 END) AS fraud
      FROM READ_PARQUET($v3, union_by_name = TRUE, hive_partitioning = TRUE) AS t
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
                t."payment_id" AS id,
                CAST(t."is_fraud" AS BOOLEAN) AS label,
                CAST(t."known_at" AS TIMESTAMP) AS known_at
              FROM READ_PARQUET($v1, union_by_name = TRUE, hive_partitioning = TRUE) AS t
            ) AS e
            WHERE
              known_at < CAST($v0 AS TIMESTAMP) AND NOT label IS NULL AND NOT id IS NULL
          )
          GROUP BY
            id
        )
      ) AS k
        ON k.id = t."payment_id"
      WHERE
        NOT COALESCE(CAST(t."action" AS TEXT) IN ($v2), FALSE)
        AND ISFINITE(CAST(t."score" AS DOUBLE))
        AND NOT t."odd ""name`" IS NULL
      GROUP BY
        d,
        e
    ) AS c
  ) AS r
  WHERE
    place <= $v4
) AS f
GROUP BY
  d,
  score,
  card,
  fraud
