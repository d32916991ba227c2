SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  c,
  CAST(SUM(n) AS INT64) AS n,
  CAST(DIV(COALESCE(SUM(x), 0), 4294967296) AS INT64) AS high,
  CAST(MOD(COALESCE(SUM(x), 0), 4294967296) AS INT64) AS low
FROM (
  SELECT
    t.d,
    CASE
      WHEN CAST(t.s0 AS STRING) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.s0 AS STRING) WHEN @v13 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    t.c,
    t.n,
    t.x
  FROM (
    SELECT
      d,
      s0,
      c,
      COUNT(*) AS n,
      SUM(x) AS x
    FROM (
      SELECT
        DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
        t.`channel` AS s0,
        CASE
          WHEN CAST(t.`amount_gbp` AS FLOAT64) BETWEEN @v9 AND @v10
          THEN CAST(FLOOR(
            (
              SIGN((
                (
                  CAST(t.`amount_gbp` AS FLOAT64) - @v6
                ) * @v7
              )) * LN(1 + ABS((
                (
                  CAST(t.`amount_gbp` AS FLOAT64) - @v6
                ) * @v7
              ))) * @v8
            )
          ) AS INT64)
          WHEN t.`amount_gbp` IS NULL
          THEN (
            -20000
          )
          WHEN CAST(t.`amount_gbp` AS FLOAT64) IS NULL
          OR NOT (
            NOT (
              IS_NAN(CAST(t.`amount_gbp` AS FLOAT64))
              OR IS_INF(CAST(t.`amount_gbp` AS FLOAT64))
            )
          )
          THEN (
            -20001
          )
          ELSE CAST(LEAST(
            GREATEST(
              FLOOR(
                (
                  SIGN(
                    (
                      (
                        LEAST(GREATEST(CAST(t.`amount_gbp` AS FLOAT64), @v4), @v5) - @v6
                      ) * @v7
                    )
                  ) * LN(
                    1 + ABS(
                      (
                        (
                          LEAST(GREATEST(CAST(t.`amount_gbp` AS FLOAT64), @v4), @v5) - @v6
                        ) * @v7
                      )
                    )
                  ) * @v8
                )
              ),
              (
                -128
              )
            ),
            127
          ) AS INT64)
        END AS c,
        CASE
          WHEN CAST(t.`amount_gbp` AS FLOAT64) BETWEEN @v0 AND @v1
          THEN CAST(FLOOR(CAST(t.`amount_gbp` AS FLOAT64) * @v2 + 0.5) AS INT64)
          WHEN (
            NOT (
              IS_NAN(CAST(t.`amount_gbp` AS FLOAT64))
              OR IS_INF(CAST(t.`amount_gbp` AS FLOAT64))
            )
          )
          THEN CAST(SIGN(CAST(t.`amount_gbp` AS FLOAT64)) * @v3 AS INT64)
        END AS x
      FROM `cards`.`features` AS t
      WHERE
        t.`day` BETWEEN @v11 AND @v12
    ) AS t
    GROUP BY
      d,
      s0,
      c
  ) AS t
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, c)
  )
