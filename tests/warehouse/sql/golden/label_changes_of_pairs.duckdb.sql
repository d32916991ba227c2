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
    FROM READ_PARQUET($v13, union_by_name = TRUE, hive_partitioning = TRUE) AS t
  ) AS e
  WHERE
    known_at < CAST($v12 AS TIMESTAMP) AND NOT label IS NULL AND NOT id IS NULL
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
        known_at >= CAST($v14 AS TIMESTAMP)
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
        known_at < CAST($v14 AS TIMESTAMP)
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
      WHEN CAST(t."age_band" AS TEXT) IS NULL
      THEN (
        -2
      )
      ELSE CASE CAST(t."age_band" AS TEXT) WHEN $v1 THEN 0 WHEN $v2 THEN 1 ELSE (
        -2
      ) END
    END AS s1,
    CASE
      WHEN CAST(t."channel" AS TEXT) || ' & ' || CAST(t."age_band" AS TEXT) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t."channel" AS TEXT) || ' & ' || CAST(t."age_band" AS TEXT)
        WHEN $v3
        THEN 0
        WHEN $v4
        THEN 1
        ELSE (
          -2
        )
      END
    END AS s2,
    CASE
      WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN 0 AND $v5
      THEN CAST(FLOOR(CAST(t."amount_gbp" AS DOUBLE) * 100 + 0.5) AS BIGINT)
      WHEN CAST(t."amount_gbp" AS DOUBLE) > $v5 AND ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
      THEN 10000000000000
      ELSE 0
    END AS pence,
    CASE
      WHEN CAST(t."score" AS DOUBLE) BETWEEN $v6 AND $v7
      THEN CAST(FLOOR(
        (
          (
            LN(
              (
                (
                  (
                    CAST(t."score" AS DOUBLE) - $v6
                  ) * $v7
                ) + $v9
              ) / (
                1 - (
                  (
                    CAST(t."score" AS DOUBLE) - $v6
                  ) * $v7
                ) + $v9
              )
            ) - $v10
          ) * $v8
        )
      ) AS INT)
      WHEN CAST(t."score" AS DOUBLE) < $v6
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
          CAST(t."score" AS DOUBLE) - $v6
        ) / $v7
      ) BETWEEN 0 AND 1
      THEN CAST(FLOOR((
        (
          CAST(t."score" AS DOUBLE) - $v6
        ) / $v7
      ) * 1e9 + 0.5) AS BIGINT)
      WHEN (
        (
          CAST(t."score" AS DOUBLE) - $v6
        ) / $v7
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
  FROM READ_PARQUET($v15, union_by_name = TRUE, hive_partitioning = TRUE) AS t
  JOIN known AS k
    ON k.id = t."payment_id"
  WHERE
    NOT COALESCE(CAST(t."action" AS TEXT) IN ($v11), FALSE)
    AND ISFINITE(CAST(t."score" AS DOUBLE))
)
SELECT
  d,
  CASE
    WHEN NOT s0 IS NULL
    THEN 0
    WHEN NOT s1 IS NULL
    THEN 1
    WHEN NOT s2 IS NULL
    THEN 2
  END AS s,
  COALESCE(s0, s1, s2) AS g,
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
    s1,
    s2,
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
    (s1, d, c, state),
    (s2, d, c, state),
    (d, delay, missed)
  )
