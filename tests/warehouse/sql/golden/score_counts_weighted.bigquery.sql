SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  c,
  state,
  CAST(SUM(n) AS INT64) AS n,
  CAST(SUM(pence) AS INT64) AS pence,
  CAST(SUM(share) AS INT64) AS share,
  CAST(SUM(weight) AS INT64) AS weight,
  CAST(SUM(weighted_pence) AS INT64) AS weighted_pence,
  CAST(SUM(unweighted) AS INT64) AS unweighted
FROM (
  SELECT
    t.d,
    CASE
      WHEN CAST(t.s0 AS STRING) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.s0 AS STRING) WHEN @v10 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    c,
    state,
    n,
    pence,
    share,
    weight,
    weighted_pence,
    unweighted
  FROM (
    SELECT
      d,
      s0,
      c,
      state,
      COUNT(*) AS n,
      SUM(pence) AS pence,
      SUM(share) AS share,
      SUM(weight) AS weight,
      SUM(weighted_pence) AS weighted_pence,
      SUM(unweighted) AS unweighted
    FROM (
      SELECT
        DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
        t.`channel` AS s0,
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
        END AS share,
        CASE
          WHEN CAST(t.`let_through` AS FLOAT64) BETWEEN @v7 AND 1
          AND NOT COALESCE(CAST(t.`action` AS STRING) IN (@v5), FALSE)
          THEN CAST(FLOOR(1000000 / NULLIF(CAST(t.`let_through` AS FLOAT64), 0) + 0.5) AS INT64)
          ELSE 0
        END AS weight,
        CASE
          WHEN CAST(t.`let_through` AS FLOAT64) BETWEEN @v7 AND 1
          AND NOT COALESCE(CAST(t.`action` AS STRING) IN (@v5), FALSE)
          THEN CAST(FLOOR(
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
            END / NULLIF(CAST(t.`let_through` AS FLOAT64), 0) + 0.5
          ) AS INT64)
          ELSE 0
        END AS weighted_pence,
        CASE
          WHEN COALESCE(CAST(t.`action` AS STRING) IN (@v5), FALSE)
          OR COALESCE(CAST(t.`let_through` AS FLOAT64) BETWEEN @v7 AND 1, FALSE)
          THEN 0
          ELSE 1
        END AS unweighted
      FROM `cards`.`features` AS t
      WHERE
        t.`day` BETWEEN @v8 AND @v9
    ) AS t
    GROUP BY
      d,
      s0,
      c,
      state
  ) AS t
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, c, state)
  )
