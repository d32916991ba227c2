WITH events AS (
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
      t.`day` BETWEEN @v7 AND @v8
  ) AS e
  WHERE
    known_at < CAST(@v10 AS DATETIME) AND NOT label IS NULL AND NOT id IS NULL
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
        known_at >= CAST(@v11 AS DATETIME)
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
        known_at < CAST(@v11 AS DATETIME)
      GROUP BY
        id
    )
  )
), cells AS (
  SELECT
    DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
    CASE
      WHEN CAST(t.`channel` AS STRING) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.`channel` AS STRING) WHEN @v0 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    CASE
      WHEN CAST(t.`amount_gbp` AS FLOAT64) BETWEEN 0 AND @v1
      THEN CAST(FLOOR(CAST(t.`amount_gbp` AS FLOAT64) * 100 + 0.5) AS INT64)
      WHEN CAST(t.`amount_gbp` AS FLOAT64) > @v1
      AND (
        NOT (
          IS_NAN(CAST(t.`amount_gbp` AS FLOAT64))
          OR IS_INF(CAST(t.`amount_gbp` AS FLOAT64))
        )
      )
      THEN 10000000000000
      ELSE 0
    END AS pence,
    CASE
      WHEN CAST(t.`score` AS FLOAT64) BETWEEN @v2 AND @v3
      THEN CAST(FLOOR(
        (
          (
            LN(
              (
                (
                  (
                    CAST(t.`score` AS FLOAT64) - @v2
                  ) * @v3
                ) + @v5
              ) / NULLIF((
                1 - (
                  (
                    CAST(t.`score` AS FLOAT64) - @v2
                  ) * @v3
                ) + @v5
              ), 0)
            ) - @v6
          ) * @v4
        )
      ) AS INT64)
      WHEN CAST(t.`score` AS FLOAT64) < @v2
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
          CAST(t.`score` AS FLOAT64) - @v2
        ) / NULLIF(@v3, 0)
      ) BETWEEN 0 AND 1
      THEN CAST(FLOOR((
        (
          CAST(t.`score` AS FLOAT64) - @v2
        ) / NULLIF(@v3, 0)
      ) * 1e9 + 0.5) AS INT64)
      WHEN (
        (
          CAST(t.`score` AS FLOAT64) - @v2
        ) / NULLIF(@v3, 0)
      ) > 1
      THEN 1000000000
      ELSE 0
    END AS share,
    CASE WHEN k.fraud THEN 2 ELSE 3 END AS state,
    CASE
      WHEN k.fraud
      THEN GREATEST(
        DATE_DIFF(CAST(k.first_fraud AS DATE), CAST('1970-01-01' AS DATE), DAY) - DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY),
        0
      )
      ELSE (
        -1
      )
    END AS delay,
    k.sign AS sign
  FROM `cards`.`features` AS t
  JOIN known AS k
    ON k.id = t.`payment_id`
  WHERE
    t.`day` BETWEEN @v7 AND @v8
    AND NOT COALESCE(CAST(t.`action` AS STRING) IN (@v9), FALSE)
    AND (
      NOT (
        IS_NAN(CAST(t.`score` AS FLOAT64)) OR IS_INF(CAST(t.`score` AS FLOAT64))
      )
    )
)
SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  c,
  state,
  CAST(SUM(sign) AS INT64) AS n,
  CAST(SUM(sign * pence) AS INT64) AS pence,
  CAST(SUM(sign * share) AS INT64) AS share,
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
