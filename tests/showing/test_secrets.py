"""What counts as a secret, both ways."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hbspec.showing import secrets
from hbspec.showing.secrets import looks_secret, redact

SECRETS = [  # what stays, what is hidden, what stays
    ("hf_", "aB3" * 11 + "x", ""),
    ("AKIA", "IOSFODNN7EXAMPLE", ""),
    ("ASIA", "IOSFODNN7EXAMPLE", ""),
    ("sk-", "proj-abcDEF1234567890abcdefgh", ""),
    ("sk-", "ant-api03-abcDEF1234567890abcdefgh", ""),
    ("ghp_", "a1" * 18, ""),
    ("github_pat_", "11ABCDEFG0abcdefghij", ""),
    ("glpat-", "abcdefghij0123456789", ""),
    ("xoxb-", "123456789012-abcdef", ""),
    ("eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghij", ""),
    ("-----BEGIN RSA PRIVATE KEY-----\n", "MIIEabc", "\n-----END RSA PRIVATE KEY-----"),
    ("-----BEGIN PRIVATE KEY-----\n", "MIIEabc", ""),
    ("https://user:", "pa55", "@host/x"),
]
NAMED = [
    ("aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("secretAccessKey: ", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("token=", "abc123def"),
    ("HF_TOKEN: ", "abcdef"),
    ("password: ", "hunter2"),
    ("  - password: ", "a long pass phrase # and more"),
    ("{password: '", "a b c d"),
    ('"api_key": "', "zzzzzz"),
    ("password:\n  ", "hunter22"),
    ("password: |\n  ", "hunter22"),
    ("WANDB_API_KEY=", "0123456789abcdef"),
    ("Authorization: ", "Bearer abc.def"),
    ("trl sft --api_key ", "abcdef12345"),
    ("--wandb-api-key  '", "two words"),
    ("--hub_token ", "s3cr3t"),
    ("s3://b/k?X-Amz-Signature=", "abcdef"),
]
ORDINARY = [
    "arn:aws:iam::111122223333:role/HeartBeatSageMakerExecutionRole",
    "s3://heartbeat/train.jsonl",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
    "revision: 711ad2ea6aa40cfca18895e8aca02ab92df1a746",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "pad_token: <|endoftext|>",
    "eos_token: </s>",
    "typical_output_tokens: 400",
    "tokens: {mean: 374, max: 689}",
    "tokens_per_second: 12",
    "token: 128000",
    "token: null",
    "use_auth_token: true",
    "password: ${PASSWORD}",
    "secret: arn:aws:secretsmanager:us-east-1:1:secret:x",
    "token:\n  name: x",
    "price.ml.p4d.24xlarge.us-east-1: 32.77 USD/h",
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.9-gpu-py312",
    "task-specific-sk-learn-classifier-of-many-words",
    "modules_to_save: [embed_tokens, lm_head]",
    "https://huggingface.co/Qwen/Qwen2.5-7B:main",
    "the key `token` is unknown",
    "--max_tokens 300",
    "--hub_token $HF_TOKEN --seed 1",
    "--hub-token HF_TOKEN",
    "--use_auth_token --seed 1",
    "--eos_token <|im_end|>",
    "aws s3api head-object --key data/train.jsonl",
]


@pytest.mark.parametrize(("before", "secret", "after"), SECRETS)
def test_a_known_form_is_seen_and_starred_out(before: str, secret: str, after: str) -> None:
    text = f"is {before}{secret}{after}"
    assert looks_secret(text)
    assert redact(text) == f"is {before}{'*' * len(secret)}{after}"


@pytest.mark.parametrize(("name", "secret"), NAMED, ids=[name for name, _ in NAMED])
def test_a_named_secret_is_starred_out_whole(name: str, secret: str) -> None:
    assert redact(name + secret).startswith(name.rstrip())
    assert redact(name + secret).rstrip("'\"") == name + "*" * len(secret)


@pytest.mark.parametrize("text", ["password: {}: 3", "password: {}: : [", '{{"password: {}": 3}}', "password:\n  {}"])
def test_a_named_secret_is_no_key_for_what_follows_it(text: str) -> None:
    assert "horse" not in redact(text.format("correct-horse-battery9"))


@pytest.mark.parametrize(
    "text", ["DB_PASSWORD: [{}]", "API_KEY: {{v: {}}}", 'password: ["{}", 1]', "x: {{token: [[{}]]}}"]
)
def test_a_list_or_a_mapping_of_a_secret_s_name_is_starred_out(text: str) -> None:
    assert "s3cr3tpw" not in redact(text.format("s3cr3tpw"))
    assert not looks_secret(text.format("s3cr3tpw"))


def test_a_map_below_the_name_is_none() -> None:
    text = "token:\n  name: x\n  other: y"
    assert redact(text) == text


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_value_is_none(text: str) -> None:
    assert not looks_secret(text)
    assert redact(text) == text


@given(st.text())
@example("-----BEGIN PRIVATE KEY-----\na\r\nb")
def test_redaction_keeps_every_place(text: str) -> None:
    shown = redact(text)
    assert len(shown) == len(text)
    assert [i for i, c in enumerate(shown) if c in "\r\n"] == [i for i, c in enumerate(text) if c in "\r\n"]
    assert all(new in (old, "*") for new, old in zip(shown, text, strict=True))


PIECES = [*(name for name, _ in NAMED), "token", "api_key", "secret_access", "amz-signature", '\\"', '"', "'", ":", "="]
PIECES += [" ", "\n", "  ", "abcdefgh", "x1 y2", "|", "[", "{", "-", "basic "]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join))
def test_a_text_that_is_not_searched_for_names_has_none(text: str) -> None:
    if not secrets._may_be_named(text):
        assert secrets._named().search(text) is None
        assert secrets._flow().search(text) is None


@given(
    st.sampled_from(["hf_", "ghp_", "AKIA"]),
    st.text(string.ascii_uppercase + string.digits, min_size=36, max_size=36),
    st.text(),
)
def test_a_token_is_hidden_wherever_it_stands(prefix: str, body: str, around: str) -> None:
    token = prefix + (body[:16] if prefix == "AKIA" else body)
    assert token not in redact(f"{around} {token} {around}")


@pytest.mark.parametrize("secret", ["AKIAZ7QPLM3NBVCX2WER", "hf_abcdefghijklmnopqrstuvwxyzABCDEF12"])
@pytest.mark.parametrize(
    "before", ["\\ufeff", "\\u94a5", "\\udcff", "\\x1b", "\\xe9", "\\U0001f511", "\\f", "\\0", "%e2%80%8b"]
)
def test_a_character_that_is_spelled_out_before_it_hides_none(before: str, secret: str) -> None:
    """As JSON and Python spell what is not ASCII: the last of its digits is not a letter before the credential."""
    assert looks_secret(before + secret)
    assert secret not in redact(before + secret)


@pytest.mark.parametrize("after", ["_train.jsonl", "_", "é", "钥"])
def test_the_id_of_a_key_ends_where_a_word_goes_on(after: str) -> None:
    assert "AKIAZ7QPLM3NBVCX2WER" not in redact(f"AKIAZ7QPLM3NBVCX2WER{after}")


@pytest.mark.parametrize("secret", ["AKIAZ7QPLM3NBVCX2WER", "AIzaSyA1234567890abcdefghijklmnopqrstuv"])
@pytest.mark.parametrize("ending", ["", "/", ".yaml", "/train.jsonl"])
def test_it_is_hidden_at_the_end_of_a_path_of_any_length(secret: str, ending: str) -> None:
    """With what is before it, it may be as long as a secret key of AWS, and is not taken for one that is none."""
    folders = (f"{'experiments'[: length % 11]}/{'conversations' * 4}"[:length] for length in range(1, 45))
    for folder in (".", *folders):
        path = f"{folder}/{secret}{ending}"
        assert looks_secret(path), path
        assert secret not in redact(path)
        assert len(redact(path)) == len(path)


@given(
    st.sampled_from(["revision", "id", "train", "role", "image", "name"]),
    st.text("0123456789abcdef", min_size=40, max_size=64),
)
def test_hashes_are_no_secrets(key: str, digest: str) -> None:
    assert not looks_secret(f"{key}: {digest}")


@given(
    st.from_regex(r"arn:aws:iam::[0-9]{12}:role/[A-Za-z]{1,40}", fullmatch=True)
    | st.from_regex(r"s3://[a-z0-9][a-z0-9.-]{2,20}(/[A-Z]?[a-z0-9_.=-]{1,19}){0,4}", fullmatch=True)
    | st.from_regex(
        r"[A-Za-z][A-Za-z0-9]{1,15}/[A-Za-z][A-Za-z0-9.]{1,15}(-[A-Z]?[a-z0-9.]{1,10}){0,5}", fullmatch=True
    )
    | st.from_regex(r"ml\.[a-z][0-9][a-z]{0,2}\.[0-9]{0,2}xlarge", fullmatch=True)
)
@pytest.mark.parametrize("key", ["output", "model", "type", "eos_token_id", "max_new_tokens"])
def test_names_of_things_are_no_secrets(key: str, value: str) -> None:
    """Names that people choose; of forty random characters nobody can tell whether they are a key."""
    assert redact(f"{key}: {value}") == f"{key}: {value}"


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "://",
        "password: ",
        "eyJ",
        "eyJaaaaaaaa.",
        "sk-A1",
        "-----BEGIN PRIVATE KEY-----",
        "- ",
        "\n",
        "token",
        "secret_",
    ],
)
def test_a_mebibyte_of_any_beginning_is_redacted(piece: str) -> None:
    text = piece * ((1 << 18) // len(piece))
    assert len(redact(text)) == len(text)
