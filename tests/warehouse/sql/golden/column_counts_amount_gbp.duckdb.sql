SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  c,
  CAST(SUM(n) AS BIGINT) AS n,
  CAST(COALESCE(SUM(x), 0) // 4294967296 AS BIGINT) AS high,
  CAST(COALESCE(SUM(x), 0) % 4294967296 AS BIGINT) AS low
FROM (
  SELECT
    t.d,
    CASE
      WHEN CAST(t.s0 AS TEXT) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.s0 AS TEXT) WHEN $v12 THEN 0 ELSE (
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
        DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
        t."channel" AS s0,
        CASE
          WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN $v9 AND $v10
          THEN CAST(FLOOR(
            (
              SIGN((
                (
                  CAST(t."amount_gbp" AS DOUBLE) - $v6
                ) * $v7
              )) * LN(1 + ABS((
                (
                  CAST(t."amount_gbp" AS DOUBLE) - $v6
                ) * $v7
              ))) * $v8
            )
          ) AS INT)
          WHEN t."amount_gbp" IS NULL
          THEN (
            -20000
          )
          WHEN CAST(t."amount_gbp" AS DOUBLE) IS NULL
          OR NOT ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
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
                        LEAST(GREATEST(CAST(t."amount_gbp" AS DOUBLE), $v4), $v5) - $v6
                      ) * $v7
                    )
                  ) * LN(
                    1 + ABS(
                      (
                        (
                          LEAST(GREATEST(CAST(t."amount_gbp" AS DOUBLE), $v4), $v5) - $v6
                        ) * $v7
                      )
                    )
                  ) * $v8
                )
              ),
              (
                -128
              )
            ),
            127
          ) AS INT)
        END AS c,
        CASE
          WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN $v0 AND $v1
          THEN CAST(FLOOR(CAST(t."amount_gbp" AS DOUBLE) * $v2 + 0.5) AS BIGINT)
          WHEN ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
          THEN CAST(SIGN(CAST(t."amount_gbp" AS DOUBLE)) * $v3 AS BIGINT)
        END AS x
      FROM READ_PARQUET($v11, union_by_name = TRUE, hive_partitioning = TRUE) AS t
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
