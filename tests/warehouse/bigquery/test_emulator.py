def test_a_local_bigquery_answers_googles_own_client(bigquery_client):
    assert bigquery_client.query("SELECT 1 + 1 AS n").to_arrow(create_bqstorage_client=False).to_pylist() == [{"n": 2}]
