SELECT
  d,
  CASE WHEN NOT s0 IS NULL THEN 0 END AS s,
  COALESCE(s0) AS g,
  CAST(w AS INT64) AS w,
  c,
  CAST(SUM(n) AS INT64) AS n,
  CAST(SUM(h) AS INT64) AS high,
  CAST(SUM(x) AS INT64) AS low
FROM (
  SELECT
    t.d,
    CASE
      WHEN t.s0 IS NULL
      THEN (
        -1
      )
      ELSE CASE t.s0 WHEN @v12 THEN 0 ELSE (
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
        DATE_DIFF(CAST(t.`day` AS DATE), CAST('1970-01-01' AS DATE), DAY) AS d,
        CAST(t.`channel` AS STRING) AS s0,
        CASE
          WHEN CAST(t.`amount_gbp` AS FLOAT64) BETWEEN @v8 AND @v9
          THEN CAST(FLOOR(
            (
              SIGN((
                (
                  CAST(t.`amount_gbp` AS FLOAT64) - @v5
                ) * @v6
              )) * LN(1 + ABS((
                (
                  CAST(t.`amount_gbp` AS FLOAT64) - @v5
                ) * @v6
              ))) * @v7
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
                        LEAST(GREATEST(CAST(t.`amount_gbp` AS FLOAT64), @v3), @v4) - @v5
                      ) * @v6
                    )
                  ) * LN(
                    1 + ABS(
                      (
                        (
                          LEAST(GREATEST(CAST(t.`amount_gbp` AS FLOAT64), @v3), @v4) - @v5
                        ) * @v6
                      )
                    )
                  ) * @v7
                )
              ),
              (
                -128
              )
            ),
            127
          ) AS INT64)
        END AS c0,
        CAST(NULL AS STRING) AS l0,
        CASE
          WHEN CAST(t.`amount_gbp` AS FLOAT64) BETWEEN @v1 AND @v2
          THEN CAST(FLOOR(FLOOR(CAST(t.`amount_gbp` AS FLOAT64) * @v0 + 0.5) / NULLIF(4294967296, 0)) AS INT64)
          WHEN NOT (
            NOT (
              IS_NAN(CAST(t.`amount_gbp` AS FLOAT64))
              OR IS_INF(CAST(t.`amount_gbp` AS FLOAT64))
            )
          )
          THEN 0
          WHEN CAST(t.`amount_gbp` AS FLOAT64) > 0
          THEN 232830643
          WHEN CAST(t.`amount_gbp` AS FLOAT64) < 0
          THEN (
            -232830644
          )
          ELSE 0
        END AS h0,
        CASE
          WHEN CAST(t.`amount_gbp` AS FLOAT64) BETWEEN @v1 AND @v2
          THEN CAST(FLOOR(CAST(t.`amount_gbp` AS FLOAT64) * @v0 + 0.5) - FLOOR(FLOOR(CAST(t.`amount_gbp` AS FLOAT64) * @v0 + 0.5) / NULLIF(4294967296, 0)) * 4294967296 AS INT64)
          WHEN NOT (
            NOT (
              IS_NAN(CAST(t.`amount_gbp` AS FLOAT64))
              OR IS_INF(CAST(t.`amount_gbp` AS FLOAT64))
            )
          )
          THEN 0
          WHEN CAST(t.`amount_gbp` AS FLOAT64) > 0
          THEN 2808348672
          WHEN CAST(t.`amount_gbp` AS FLOAT64) < 0
          THEN (
            1486618624
          )
          ELSE 0
        END AS x0,
        CASE WHEN t.`odd "name``` IS NULL THEN (
          -20000
        ) END AS c1,
        CAST(t.`odd "name``` AS STRING) AS l1,
        0 AS h1,
        0 AS x1
      FROM `cards`.`features` AS t
      WHERE
        t.`day` BETWEEN @v10 AND @v11
    ) AS r
    CROSS JOIN UNNEST([
      STRUCT('0' AS w, c0 AS c, l0 AS l, h0 AS h, x0 AS x),
      STRUCT('1' AS w, c1 AS c, l1 AS l, h1 AS h, x1 AS x)
    ]) AS u
    GROUP BY
      d,
      s0,
      u.w,
      u.c,
      u.l
  ) AS t
  LEFT JOIN (
    SELECT
      SUBSTRING(e, 1, INSTR(e, ':') - 1) AS w,
      CAST(SUBSTRING(SUBSTRING(e, INSTR(e, ':') + 1), 1, INSTR(SUBSTRING(e, INSTR(e, ':') + 1), ':') - 1) AS INT64) AS cell,
      SUBSTRING(SUBSTRING(e, INSTR(e, ':') + 1), INSTR(SUBSTRING(e, INSTR(e, ':') + 1), ':') + 1) AS level
    FROM UNNEST(CAST(@v13 AS ARRAY<STRING>)) AS e
  ) AS v
    ON v.w = t.w AND v.level = t.l
) AS r
GROUP BY
  GROUPING SETS (
    (s0, d, w, c)
  )
