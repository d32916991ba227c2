SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  c,
  state,
  CAST(SUM(n) AS BIGINT) AS n,
  CAST(SUM(pence) AS BIGINT) AS pence,
  CAST(SUM(share) AS BIGINT) AS share,
  CAST(SUM(weight) AS BIGINT) AS weight,
  CAST(SUM(weighted_pence) AS BIGINT) AS weighted_pence,
  CAST(SUM(unweighted) AS BIGINT) AS unweighted
FROM (
  SELECT
    t.d,
    CASE
      WHEN CAST(t.s0 AS TEXT) IS NULL
      THEN (
        -1
      )
      ELSE CASE CAST(t.s0 AS TEXT) WHEN $v9 THEN 0 ELSE (
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
        DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
        t."channel" AS s0,
        CASE
          WHEN CAST(t."score" AS DOUBLE) BETWEEN $v0 AND $v1
          THEN CAST(FLOOR(
            (
              (
                LN(
                  (
                    (
                      (
                        CAST(t."score" AS DOUBLE) - $v0
                      ) * $v1
                    ) + $v3
                  ) / (
                    1 - (
                      (
                        CAST(t."score" AS DOUBLE) - $v0
                      ) * $v1
                    ) + $v3
                  )
                ) - $v4
              ) * $v2
            )
          ) AS INT)
          WHEN t."score" IS NULL
          THEN (
            -20000
          )
          WHEN CAST(t."score" AS DOUBLE) IS NULL OR NOT ISFINITE(CAST(t."score" AS DOUBLE))
          THEN (
            -20001
          )
          WHEN CAST(t."score" AS DOUBLE) < $v0
          THEN (
            -208
          )
          ELSE (
            138
          )
        END AS c,
        CASE WHEN COALESCE(CAST(t."action" AS TEXT) IN ($v5), FALSE) THEN 1 ELSE 0 END AS state,
        CASE
          WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN 0 AND $v6
          THEN CAST(FLOOR(CAST(t."amount_gbp" AS DOUBLE) * 100 + 0.5) AS BIGINT)
          WHEN CAST(t."amount_gbp" AS DOUBLE) > $v6 AND ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
          THEN 10000000000000
          ELSE 0
        END AS pence,
        CASE
          WHEN ISFINITE(CAST(t."score" AS DOUBLE))
          THEN CASE
            WHEN (
              (
                CAST(t."score" AS DOUBLE) - $v0
              ) / $v1
            ) BETWEEN 0 AND 1
            THEN CAST(FLOOR((
              (
                CAST(t."score" AS DOUBLE) - $v0
              ) / $v1
            ) * 1e9 + 0.5) AS BIGINT)
            WHEN (
              (
                CAST(t."score" AS DOUBLE) - $v0
              ) / $v1
            ) > 1
            THEN 1000000000
            ELSE 0
          END
          ELSE 0
        END AS share,
        CASE
          WHEN CAST(t."let_through" AS DOUBLE) BETWEEN $v7 AND 1
          AND NOT COALESCE(CAST(t."action" AS TEXT) IN ($v5), FALSE)
          THEN CAST(FLOOR(1000000 / CAST(t."let_through" AS DOUBLE) + 0.5) AS BIGINT)
          ELSE 0
        END AS weight,
        CASE
          WHEN CAST(t."let_through" AS DOUBLE) BETWEEN $v7 AND 1
          AND NOT COALESCE(CAST(t."action" AS TEXT) IN ($v5), FALSE)
          THEN CAST(FLOOR(
            CASE
              WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN 0 AND $v6
              THEN CAST(FLOOR(CAST(t."amount_gbp" AS DOUBLE) * 100 + 0.5) AS BIGINT)
              WHEN CAST(t."amount_gbp" AS DOUBLE) > $v6 AND ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
              THEN 10000000000000
              ELSE 0
            END / CAST(t."let_through" AS DOUBLE) + 0.5
          ) AS BIGINT)
          ELSE 0
        END AS weighted_pence,
        CASE
          WHEN COALESCE(CAST(t."action" AS TEXT) IN ($v5), FALSE)
          OR COALESCE(CAST(t."let_through" AS DOUBLE) BETWEEN $v7 AND 1, FALSE)
          THEN 0
          ELSE 1
        END AS unweighted
      FROM READ_PARQUET($v8, union_by_name = TRUE, hive_partitioning = TRUE) AS t
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
