SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  CAST(w AS BIGINT) AS w,
  c,
  CAST(SUM(n) AS BIGINT) AS n,
  CAST(SUM(h) AS BIGINT) AS high,
  CAST(SUM(x) AS BIGINT) AS low
FROM (
  SELECT
    t.d,
    CASE
      WHEN t.s0 IS NULL
      THEN (
        -1
      )
      ELSE CASE t.s0 WHEN $v11 THEN 0 ELSE (
        -2
      ) END
    END AS s0,
    t.w,
    CASE WHEN NOT t.c IS NULL THEN t.c ELSE COALESCE(v.cell, (
      -2
    )) END AS c,
    t.n,
    t.h,
    t.x
  FROM (
    SELECT
      d,
      s0,
      u.w,
      u.c,
      u.l,
      COUNT(*) AS n,
      SUM(u.h) AS h,
      SUM(u.x) AS x
    FROM (
      SELECT
        DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), CAST(t."day" AS DATE)) AS d,
        CAST(t."channel" AS TEXT) AS s0,
        CASE
          WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN $v8 AND $v9
          THEN CAST(FLOOR(
            (
              SIGN((
                (
                  CAST(t."amount_gbp" AS DOUBLE) - $v5
                ) * $v6
              )) * LN(1 + ABS((
                (
                  CAST(t."amount_gbp" AS DOUBLE) - $v5
                ) * $v6
              ))) * $v7
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
                        LEAST(GREATEST(CAST(t."amount_gbp" AS DOUBLE), $v3), $v4) - $v5
                      ) * $v6
                    )
                  ) * LN(
                    1 + ABS(
                      (
                        (
                          LEAST(GREATEST(CAST(t."amount_gbp" AS DOUBLE), $v3), $v4) - $v5
                        ) * $v6
                      )
                    )
                  ) * $v7
                )
              ),
              (
                -128
              )
            ),
            127
          ) AS INT)
        END AS c0,
        CAST(NULL AS TEXT) AS l0,
        CASE
          WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN $v1 AND $v2
          THEN CAST(FLOOR(FLOOR(CAST(t."amount_gbp" AS DOUBLE) * $v0 + 0.5) / 4294967296) AS BIGINT)
          WHEN NOT ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
          THEN 0
          WHEN CAST(t."amount_gbp" AS DOUBLE) > 0
          THEN 232830643
          WHEN CAST(t."amount_gbp" AS DOUBLE) < 0
          THEN (
            -232830644
          )
          ELSE 0
        END AS h0,
        CASE
          WHEN CAST(t."amount_gbp" AS DOUBLE) BETWEEN $v1 AND $v2
          THEN CAST(FLOOR(CAST(t."amount_gbp" AS DOUBLE) * $v0 + 0.5) - FLOOR(FLOOR(CAST(t."amount_gbp" AS DOUBLE) * $v0 + 0.5) / 4294967296) * 4294967296 AS BIGINT)
          WHEN NOT ISFINITE(CAST(t."amount_gbp" AS DOUBLE))
          THEN 0
          WHEN CAST(t."amount_gbp" AS DOUBLE) > 0
          THEN 2808348672
          WHEN CAST(t."amount_gbp" AS DOUBLE) < 0
          THEN (
            1486618624
          )
          ELSE 0
        END AS x0,
        CASE WHEN t."odd ""name`" IS NULL THEN (
          -20000
        ) END AS c1,
        CAST(t."odd ""name`" AS TEXT) AS l1,
        0 AS h1,
        0 AS x1
      FROM READ_PARQUET($v10, union_by_name = TRUE, hive_partitioning = TRUE) AS t
    ) AS r
    CROSS JOIN UNNEST([
      {'w': '0', 'c': c0, 'l': l0, 'h': h0, 'x': x0},
      {'w': '1', 'c': c1, 'l': l1, 'h': h1, 'x': x1}
    ]) AS y(u)
    GROUP BY
      d,
      s0,
      u.w,
      u.c,
      u.l
  ) AS t
  LEFT JOIN (
    SELECT
      SUBSTRING(e, 1, STRPOS(e, ':') - 1) AS w,
      CAST(SUBSTRING(
        SUBSTRING(e, STRPOS(e, ':') + 1),
        1,
        STRPOS(SUBSTRING(e, STRPOS(e, ':') + 1), ':') - 1
      ) AS BIGINT) AS cell,
      SUBSTRING(
        SUBSTRING(e, STRPOS(e, ':') + 1),
        STRPOS(SUBSTRING(e, STRPOS(e, ':') + 1), ':') + 1
      ) AS level
    FROM UNNEST(CAST($v12 AS TEXT[])) AS u(e)
  ) AS v
    ON v.w = t.w AND v.level = t.l
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, w, c)
  )
