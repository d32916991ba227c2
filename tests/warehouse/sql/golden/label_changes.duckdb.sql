WITH events AS (
  SELECT
    id,
    label,
    known_at
  FROM (
    SELECT
      t."payment_id" AS id,
      CAST(t."is_fraud" AS BOOLEAN) AS label,
      CAST(t."known_at" AS TIMESTAMP) AS known_at
    FROM READ_PARQUET($v9, union_by_name = TRUE, hive_partitioning = TRUE) AS t
  ) AS e
  WHERE
    known_at < CAST($v8 AS TIMESTAMP) AND NOT label IS NULL AND NOT id IS NULL
), moved AS (
  SELECT
    id,
    label,
    known_at
  FROM events
  WHERE
    id IN (
      SELECT
        id
      FROM events
      WHERE
        known_at >= CAST($v10 AS TIMESTAMP)
    )
), known AS (
  SELECT
    id,
    fraud,
    first_fraud,
    1 AS sign
  FROM (
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
      FROM moved
      GROUP BY
        id
    )
  )
  UNION ALL
  SELECT
    id,
    fraud,
    first_fraud,
    (
      -1
    ) AS sign
  FROM (
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
      FROM moved
      WHERE
        known_at < CAST($v10 AS TIMESTAMP)
      GROUP BY
        id
    )
  )
), cells AS (
  SELECT
    DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
    CASE
      WHEN CAST(t."channel" AS TEXT) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t."channel" AS TEXT) WHEN $v0 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    CASE
      WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN 0 AND $v1
      THEN CAST(FLOOR(CAST(t."amount_gbp" AS DOUBLE) * 100 + 0.5) AS BIGINT)
      WHEN CAST(t."amount_gbp" AS DOUBLE) > $v1 AND ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
      THEN 10000000000000
      ELSE 0
    END AS pence,
    CASE
      WHEN CAST(t."score" AS DOUBLE) BETWEEN $v2 AND $v3
      THEN CAST(FLOOR(
        (
          (
            LN(
              (
                (
                  (
                    CAST(t."score" AS DOUBLE) - $v2
                  ) * $v3
                ) + $v5
              ) / (
                1 - (
                  (
                    CAST(t."score" AS DOUBLE) - $v2
                  ) * $v3
                ) + $v5
              )
            ) - $v6
          ) * $v4
        )
      ) AS INT)
      WHEN CAST(t."score" AS DOUBLE) < $v2
      THEN (
        -208
      )
      ELSE (
        138
      )
    END AS c,
    CASE
      WHEN (
        (
          CAST(t."score" AS DOUBLE) - $v2
        ) / $v3
      ) BETWEEN 0 AND 1
      THEN CAST(FLOOR((
        (
          CAST(t."score" AS DOUBLE) - $v2
        ) / $v3
      ) * 1e9 + 0.5) AS BIGINT)
      WHEN (
        (
          CAST(t."score" AS DOUBLE) - $v2
        ) / $v3
      ) > 1
      THEN 1000000000
      ELSE 0
    END AS share,
    CASE WHEN k.fraud THEN 2 ELSE 3 END AS state,
    CASE
      WHEN k.fraud
      THEN GREATEST(
        DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(k.first_fraud AS DATE)) - DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)),
        0
      )
      ELSE (
        -1
      )
    END AS delay,
    k.sign AS sign
  FROM READ_PARQUET($v11, union_by_name = TRUE, hive_partitioning = TRUE) AS t
  JOIN known AS k
    ON k.id = t."payment_id"
  WHERE
    NOT COALESCE(CAST(t."action" AS TEXT) IN ($v7), FALSE)
    AND ISFINITE(CAST(t."score" AS DOUBLE))
)
SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  c,
  state,
  CAST(SUM(sign) AS BIGINT) AS n,
  CAST(SUM(sign * pence) AS BIGINT) AS pence,
  CAST(SUM(sign * share) AS BIGINT) AS share,
  delay,
  missed
FROM (
  SELECT
    s0,
    d,
    c,
    state,
    delay,
    sign,
    pence,
    share,
    CASE WHEN c < 0 THEN 1 ELSE 0 END AS missed
  FROM cells
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, c, state),
    (d, delay, missed)
  )
