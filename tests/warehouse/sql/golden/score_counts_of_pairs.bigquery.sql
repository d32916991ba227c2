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
  CAST(SUM(n) AS INT64) AS n,
  CAST(SUM(pence) AS INT64) AS pence,
  CAST(SUM(share) AS INT64) AS share
FROM (
  SELECT
    t.d,
    CASE
      WHEN CAST(t.s0 AS STRING) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.s0 AS STRING) WHEN @v9 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    CASE
      WHEN CAST(t.s1 AS STRING) IS NULL
      THEN (
        -2
      )
      ELSE CASE CAST(t.s1 AS STRING) WHEN @v10 THEN 0 WHEN @v11 THEN 1 ELSE (
        -2
      ) END
    END AS s1,
    CASE
      WHEN CAST(t.s0 AS STRING) || ' & ' || CAST(t.s1 AS STRING) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.s0 AS STRING) || ' & ' || CAST(t.s1 AS STRING)
        WHEN @v12
        THEN 0
        WHEN @v13
        THEN 1
        ELSE (
          -2
        )
      END
    END AS s2,
    c,
    state,
    n,
    pence,
    share
  FROM (
    SELECT
      d,
      s0,
      s1,
      c,
      state,
      COUNT(*) AS n,
      SUM(pence) AS pence,
      SUM(share) AS share
    FROM (
      SELECT
        DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
        t.`channel` AS s0,
        t.`age_band` AS s1,
        CASE
          WHEN CAST(t.`score` AS FLOAT64) BETWEEN @v0 AND @v1
          THEN CAST(FLOOR(
            (
              (
                LN(
                  (
                    (
                      (
                        CAST(t.`score` AS FLOAT64) - @v0
                      ) * @v1
                    ) + @v3
                  ) / NULLIF((
                    1 - (
                      (
                        CAST(t.`score` AS FLOAT64) - @v0
                      ) * @v1
                    ) + @v3
                  ), 0)
                ) - @v4
              ) * @v2
            )
          ) AS INT64)
          WHEN t.`score` IS NULL
          THEN (
            -20000
          )
          WHEN CAST(t.`score` AS FLOAT64) IS NULL
          OR NOT (
            NOT (
              IS_NAN(CAST(t.`score` AS FLOAT64)) OR IS_INF(CAST(t.`score` AS FLOAT64))
            )
          )
          THEN (
            -20001
          )
          WHEN CAST(t.`score` AS FLOAT64) < @v0
          THEN (
            -208
          )
          ELSE (
            138
          )
        END AS c,
        CASE WHEN COALESCE(CAST(t.`action` AS STRING) IN (@v5), FALSE) THEN 1 ELSE 0 END AS state,
        CASE
          WHEN CAST(t.`amount_gbp` AS FLOAT64) BETWEEN 0 AND @v6
          THEN CAST(FLOOR(CAST(t.`amount_gbp` AS FLOAT64) * 100 + 0.5) AS INT64)
          WHEN CAST(t.`amount_gbp` AS FLOAT64) > @v6
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
          WHEN (
            NOT (
              IS_NAN(CAST(t.`score` AS FLOAT64)) OR IS_INF(CAST(t.`score` AS FLOAT64))
            )
          )
          THEN CASE
            WHEN (
              (
                CAST(t.`score` AS FLOAT64) - @v0
              ) / NULLIF(@v1, 0)
            ) BETWEEN 0 AND 1
            THEN CAST(FLOOR((
              (
                CAST(t.`score` AS FLOAT64) - @v0
              ) / NULLIF(@v1, 0)
            ) * 1e9 + 0.5) AS INT64)
            WHEN (
              (
                CAST(t.`score` AS FLOAT64) - @v0
              ) / NULLIF(@v1, 0)
            ) > 1
            THEN 1000000000
            ELSE 0
          END
          ELSE 0
        END AS share
      FROM `cards`.`features` AS t
      WHERE
        t.`day` BETWEEN @v7 AND @v8
    ) AS t
    GROUP BY
      d,
      s0,
      s1,
      c,
      state
  ) AS t
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, c, state),
    (s1, d, c, state),
    (s2, d, c, state)
  )
