from chassis.upstream.aliyun import signature


def test_a_signature_is_that_of_the_vendors_example() -> None:
    parameters = {
        "AccessKeyId": "my_access_key_id",
        "Action": "CreateToken",
        "Version": "2019-02-28",
        "Format": "JSON",
        "RegionId": "cn-shanghai",
        "Timestamp": "2019-04-18T08:32:31Z",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": "b924c8c3-6d03-4c5d-ad36-d984d3116788",
    }

    assert signature(parameters, "my_access_key_secret") == "hHq4yNsPitlfDJ2L0nQPdugdEzM="


def test_characters_are_encoded_as_rfc_3986_wants() -> None:
    assert signature({"a": "b c*~"}, "s") != signature({"a": "b+c*~"}, "s")
