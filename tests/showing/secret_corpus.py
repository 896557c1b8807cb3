"""Made-up credentials of every published form, each with where the form is published, and what must stay as it is.

Each is put together from parts, so that scanners of this repository find none.
"""

from __future__ import annotations

import string

GITLEAKS = "https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml"
DETECT_SECRETS = "https://github.com/Yelp/detect-secrets/tree/master/detect_secrets/plugins"
GITHUB = "https://docs.github.com/en/code-security/reference/secret-security/supported-secret-scanning-patterns"
AWS_IDS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"
AWS_KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
SLACK = "https://docs.slack.dev/authentication/tokens"
GITHUB_FORMATS = (
    "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github"
)
TRUFFLEHOG = "https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors"
AZURE_SAS = "https://learn.microsoft.com/en-us/rest/api/storageservices/create-account-sas"
TELEGRAM = "https://core.telegram.org/bots/api#authorizing-your-bot"
DISCORD = "https://docs.discord.com/developers/reference#authentication"
GOOGLE_OAUTH = "https://developers.google.com/identity/protocols/oauth2"
STRIPE = "https://docs.stripe.com/webhooks"
GITLAB = "https://docs.gitlab.com/security/tokens/"

MIXED = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kL9nP2rS5uV8xA1cD4fG7iK0lM3oP6qR9tU2wX5zB8"
HEX = "3f9a0c7b5e1d8246a9c0f7e3b5d1828446ac0e9f7b3d5c1a2846e0f9c7b5d3a1"
CAPITALS = "Q7ZK2M9XW4VB8N3TRC5L"
UUID = "3f9a0c7b-5e1d-4246-a9c0-f7e3b5d18284"
AZURE_SIGNATURE = MIXED[:20] + "%2B" + MIXED[:20] + "%2F%3D"

SECRETS: dict[str, tuple[str, str]] = {
    "Google API key": ("AI" + "za" + MIXED[:35], GITLEAKS),
    "Google OAuth client secret": ("GOC" + "SPX-" + MIXED[:28], GITHUB),
    "Google OAuth token": ("ya" + "29." + MIXED[:60], GITHUB),
    "NVIDIA": ("nva" + "pi-" + MIXED[:64], GITHUB),
    "Hugging Face": ("h" + "f_" + MIXED[:34], GITLEAKS),
    "Hugging Face organization": ("api_" + "org_" + MIXED[:34], GITLEAKS),
    "OpenAI": ("s" + "k-" + MIXED[:20] + "T3Blbk" + "FJ" + MIXED[20:40], GITLEAKS),
    "OpenAI project": ("s" + "k-proj-" + MIXED[:60], GITLEAKS),
    "Anthropic": ("s" + "k-ant-api03-" + MIXED[:60] + "AA", GITLEAKS),
    "OpenRouter": ("s" + "k-or-v1-" + HEX, GITHUB),
    "DeepSeek": ("s" + "k-" + HEX[:32], GITHUB),
    "GitHub personal": ("gh" + "p_" + MIXED[:36], GITHUB_FORMATS),
    "GitHub OAuth": ("gh" + "o_" + MIXED[:36], GITHUB_FORMATS),
    "GitHub user to server": ("gh" + "u_" + MIXED[:36], GITHUB_FORMATS),
    "GitHub server to server": ("gh" + "s_" + MIXED[:36], GITHUB_FORMATS),
    "GitHub refresh": ("gh" + "r_" + MIXED[:36], GITHUB_FORMATS),
    "GitHub fine-grained": ("github" + "_pat_" + MIXED[:22] + "_" + MIXED[:59], GITHUB_FORMATS),
    "GitLab": ("gl" + "pat-" + MIXED[:20], GITLAB),
    "GitLab deploy": ("gl" + "dt-" + MIXED[:20], GITLAB),
    "Slack bot": ("xo" + "xb-123456789012-123456789012-" + MIXED[:24], SLACK),
    "Slack user": ("xo" + "xp-123456789012-123456789012-" + MIXED[:24], SLACK),
    "Slack app": ("xa" + "pp-1-A0123456789-123456789012-" + HEX, SLACK),
    "Slack webhook": ("hooks.sl" + "ack.com/services/T01234567/B01234567/" + MIXED[:24], GITLEAKS),
    "AWS access key": ("AK" + "IA" + CAPITALS[:16], AWS_IDS),
    "AWS temporary access key": ("AS" + "IA" + CAPITALS[:16], AWS_IDS),
    "AWS bearer token": ("AB" + "IA" + CAPITALS[:16], AWS_IDS),
    "AWS secret access key": ("wJalrXUtnFEMI/K7MDENG/bPxRfi" + "CYzEXAmPl3Ke", AWS_KEYS),
    "AWS secret access key without a slash": ("t8Kq2vXw9LmZ0pRb+" + "Yc5NdGh7JsF1TaVe3UoWi6x", AWS_KEYS),
    "AWS session": ("FwoGZX" + "IvYXdz" + MIXED + MIXED, AWS_IDS),
    "JSON Web Token": ("ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0In0." + MIXED[:43], GITLEAKS),
    "npm": ("np" + "m_" + MIXED[:36], GITLEAKS),
    "PyPI": ("py" + "pi-AgEIcHlwaS5vcmc" + MIXED[:60], GITLEAKS),
    "DigitalOcean": ("do" + "p_v1_" + HEX, GITLEAKS),
    "Replicate": ("r" + "8_" + MIXED[:37], GITHUB),
    "Groq": ("gs" + "k_" + MIXED[:52], GITHUB),
    "RunPod": ("rp" + "a_" + MIXED[:42], GITHUB),
    "xAI": ("xa" + "i-" + MIXED[:80], GITHUB),
    "Perplexity": ("pp" + "lx-" + MIXED[:48], GITLEAKS),
    "Databricks": ("da" + "pi" + HEX[:32], GITLEAKS),
    "Docker": ("dckr" + "_pat_" + MIXED[:27], GITHUB),
    "Stripe": ("s" + "k_live_" + MIXED[:24], GITLEAKS),
    "SendGrid": ("S" + "G." + MIXED[:22] + "." + MIXED[:43], GITLEAKS),
    "Vault": ("hv" + "s." + MIXED[:60], GITLEAKS),
    "Grafana": ("gl" + "sa_" + MIXED[:32] + "_" + HEX[:8], GITLEAKS),
    "Postman": ("PM" + "AK-" + HEX[:24] + "-" + HEX[:34], GITLEAKS),
    "Shopify": ("shp" + "at_" + HEX[:32], GITLEAKS),
    "Linear": ("lin" + "_api_" + MIXED[:40], GITLEAKS),
    "LangSmith": ("ls" + "v2_pt_" + HEX[:32] + "_" + HEX[:10], GITHUB),
    "Weights & Biases": ("wan" + "db_v1_" + MIXED[:60], GITHUB),
    "age": ("AGE-SECRET" + "-KEY-1" + (CAPITALS * 3)[:58], GITLEAKS),
    "Atlassian": ("ATA" + "TT3" + MIXED[:20] + "_-" + MIXED[:40] + "=" + HEX[:8].upper(), GITLEAKS),
    "Bitbucket repository": ("ATC" + "TT3" + MIXED[:30] + "_-" + MIXED[:40] + "=" + HEX[:8].upper(), TRUFFLEHOG),
    "Bitbucket app": ("AT" + "BB" + MIXED[:24] + HEX[:8].upper(), TRUFFLEHOG),
    "Slack browser": ("xo" + "xc-123456789012-123456789012-123456789012-" + HEX, SLACK),
    "Slack cookie": ("xo" + "xd-" + MIXED[:24] + "%2B" + MIXED[:30] + "%2F" + MIXED[:9] + "%3D", SLACK),
    "Stripe webhook": ("wh" + "sec_" + MIXED[:32], STRIPE),
    "Azure shared access signature": ("https://x.blob.example/c?sv=2024-11-04&s" + "ig=" + AZURE_SIGNATURE, AZURE_SAS),
    "Telegram bot": ("1234567890" + ":AA" + MIXED[:33], TELEGRAM),
    "Discord bot": ("MTIzNDU2" + "Nzg5MDEyMzQ1Njc4" + "." + MIXED[:6] + "." + MIXED[:38], DISCORD),
    "Google refresh": ("1/" + "/0" + MIXED[:50] + "-_" + MIXED[:40], GOOGLE_OAUTH),
    "Docker organization": ("dckr" + "_oat_" + MIXED[:32], TRUFFLEHOG),
    "Heroku": ("HR" + "KU-AA" + MIXED[:28] + "_-" + MIXED[:28], GITLEAKS),
    "Doppler personal": ("dp" + ".pt." + MIXED[:43], GITLEAKS),
    "Doppler service": ("dp" + ".st.dev_x." + MIXED[:43], TRUFFLEHOG),
    "Grafana Cloud": ("gl" + "c_eyJ" + MIXED + "+/" + MIXED[:20] + "==", GITLEAKS),
    "Dynatrace": ("dt0" + "c01." + (CAPITALS * 2)[:24] + "." + (CAPITALS * 4)[:64], GITLEAKS),
    "PlanetScale": ("pscale" + "_tkn_" + MIXED[:20] + "_.=" + MIXED[:20], GITLEAKS),
    "PlanetScale password": ("pscale" + "_pw_" + MIXED[:43], GITLEAKS),
    "RubyGems": ("ruby" + "gems_" + HEX[:48], GITLEAKS),
    "HubSpot": ("pa" + "t-na1-" + UUID, TRUFFLEHOG),
    "Terraform": (MIXED[:14] + ".atlas" + "v1." + MIXED[:30] + "-_" + MIXED[:35], GITLEAKS),
    "1Password": ("op" + "s_eyJ" + MIXED * 4, GITLEAKS),
    "Fireworks": ("f" + "w_" + MIXED[:24], GITHUB),
    "Together": ("tg" + "p_v1_" + MIXED[:12] + "-_" + MIXED[:29], GITHUB),
    "Jina": ("ji" + "na_" + HEX[:32] + MIXED[:14] + "-_" + MIXED[:12], GITHUB),
    "Kaggle": ("KG" + "AT_" + HEX[:32], GITHUB),
    "Cerebras": ("cs" + "k-" + MIXED[:48].lower(), GITHUB),
    "Langfuse": ("s" + "k-lf-" + UUID, TRUFFLEHOG),
    "Langfuse public": ("p" + "k-lf-" + UUID, TRUFFLEHOG),
    "Bedrock": ("AB" + "SK" + MIXED + "+/" + MIXED[:40] + "=", GITLEAKS),
    "Bedrock short-lived": ("bedrock-api" + "-key-" + MIXED + "+/" + MIXED + "==", GITLEAKS),
    "Square": ("sq0" + "atp-" + MIXED[:10] + "-_" + MIXED[:10], GITLEAKS),
    "Facebook": ("EA" + "AG" + MIXED + MIXED[:50], GITLEAKS),
    "Fly.io": ("FlyV1 fm" + "2_" + MIXED + "+/" + MIXED[:40] + "=", GITLEAKS),
    "Fly.io organization": ("fo" + "1_" + MIXED[:20] + "-_" + MIXED[:21], GITLEAKS),
    "Tavily": ("tv" + "ly-dev-" + MIXED[:6] + "-" + MIXED[:24], GITHUB),
    "GitLab routable": ("gl" + "pat-" + MIXED[:30] + ".01." + HEX[:9], GITLEAKS),
    "GitLab OAuth": ("gl" + "oas-" + MIXED[:30] + "_-" + MIXED[:32], GITLAB),
    "Sentry organization": ("sn" + "trys_eyJ" + MIXED + "+/=_" + MIXED[:43], GITLEAKS),
    "Azure application": (MIXED[:3] + "8Q" + "~" + MIXED[:34], GITLEAKS),
    "Alibaba": ("LT" + "AI" + MIXED[:20], GITLEAKS),
    "password in a URL": ("https://user:" + MIXED[:16] + "@host.example", DETECT_SECRETS),
}
"""Name to an example and its source. Of several of them a beginning stays readable; what must not be is `hidden`."""

NAMED: dict[str, tuple[str, str]] = {
    "WANDB_API_KEY": (HEX[:40], "https://docs.wandb.ai/guides/track/environment-variables"),
    "aws_secret_access_key": (HEX[:40], AWS_KEYS),
    "password": ("correct" + "-horse-battery", DETECT_SECRETS),
}
"""Seen by the name beside them alone: forty hex digits are a revision everywhere else."""

PHRASE = "correct " + "horse battery staple"
IN_TEXT: dict[str, tuple[str, str]] = {
    "a basic header": ('{{EXTRA_HEADER: "Authorization: Basic {}"}}', HEX[:32]),
    "a basic header, without a blank": ("{{HEADER: Authorization:Basic {}}}", HEX[:32]),
    "a token header": ("curl -H 'Authorization: Token {}' x", HEX[:40]),
    "a bearer header, short": ("authorization=Bearer {}", "abc" + "def"),
    "a proxy's header": ('{{A: 1, B: "Proxy-Authorization: Digest {}"}}', MIXED[:20]),
    "a digest header": ('{{H: \'Authorization: Digest username="bob", nonce="x", response="{}"\'}}', HEX[:32]),
    "a signed header": ("H: Authorization: AWS4-HMAC-SHA256 Credential=x/y, Signature={}", HEX),
    "a header with a word before the key": ('{{H: "x-api-key: aa {}"}}', HEX[:20]),
    "a phrase in a value": ('{{H: "password: {}", bogus: 1}}', PHRASE),
    "a phrase of a plain value": ("sagemaker: {{password: {}, bogus: 1}}", PHRASE),
    "a phrase of a plain value on two lines": (
        "sagemaker: {{password: correct\n  {}, bogus: 1}}",
        "horse " + "battery",
    ),
    "a phrase on two lines": ('{{DB_PASSWORD: "correct\n  {}", bogus: 1}}', "horse-" + "battery-staple"),
    "a key on a line of its own": ("{{WANDB_API_KEY: '\n  {}\n  ', bogus: 1}}", HEX[:40]),
    "a phrase with a continued line": ('{{PASSWORD: "correct\\\n  {}", bogus: 1}}', "horse-" + "battery-staple"),
    "a phrase with quotes in it": ("{{PASSWORD: 'it''s\n {}', bogus: 1}}", "horse-" + "battery-staple"),
    "a plain value on two lines": ("a:\n  password: correct\n    {}\n  bogus: 1", "horse " + "battery"),
    "a block": ("a:\n  password: |\n    correct\n    {}\n  bogus: 1", "horse " + "battery"),
    "a folded block with a gap": ("a:\n  password: >-\n    correct\n\n    {}\n  bogus: 1", "horse " + "battery"),
    "JSON in a text": ('{{CONFIG: "{{\\"password\\": \\"{}\\"}}", bogus: 1}}', PHRASE),
}
"""Texts, and what stands in their braces and must not be shown: known by the name before it alone."""

KEPT = (
    "token: abcdef1\nname: support-bot of the team",
    "- password: hunter2\n  name: support-bot of the team",
    "{password: hunter2, name: support-bot of the team}",
    "password=hunter2 python train.py --name support-bot of the team",
    "password: hunter2 # name: support-bot of the team",
    'x: "password: hunter2", name: support-bot of the team',
    "password: |\n  hunter2\nname: support-bot of the team",
)
"""A credential is hidden, and the support-bot of the team is not."""

LETTERS = string.ascii_letters + string.digits
SIGNS = LETTERS + "_-"
BASE64 = LETTERS + "+/"
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
DIGITS, HEXADECIMAL = string.digits, "0123456789abcdef"

RANDOM: dict[str, tuple[str | tuple[str, int], ...]] = {
    "Google API key": ("AI" + "za", (SIGNS, 35)),
    "Google OAuth client secret": ("GOC" + "SPX-", (SIGNS, 28)),
    "Google OAuth token": ("ya" + "29.", (SIGNS, 100)),
    "Google OAuth token of an account": ("ya" + "29.c.", (SIGNS, 100)),
    "Google refresh": ("1/" + "/", "0", (SIGNS, 99)),
    "Google refresh, as a path": ("1/", "0", (SIGNS, 99)),
    "NVIDIA": ("nva" + "pi-", (SIGNS, 64)),
    "Hugging Face": ("h" + "f_", (LETTERS, 34)),
    "OpenAI": ("s" + "k-", (LETTERS, 20), "T3Blbk" + "FJ", (LETTERS, 20)),
    "OpenAI project": ("s" + "k-proj-", (SIGNS, 74), "T3Blbk" + "FJ", (SIGNS, 74)),
    "Anthropic": ("s" + "k-ant-api03-", (SIGNS, 93)),
    "OpenRouter": ("s" + "k-or-v1-", (HEXADECIMAL, 64)),
    "DeepSeek": ("s" + "k-", (HEXADECIMAL, 32)),
    "GitHub personal": ("gh" + "p_", (LETTERS, 36)),
    "GitHub fine-grained": ("github" + "_pat_", (LETTERS + "_", 82)),
    "GitLab": ("gl" + "pat-", (SIGNS, 20)),
    "GitLab routable": ("gl" + "pat-", (SIGNS, 27), ".01.", (LOWER, 9)),
    "GitLab OAuth": ("gl" + "oas-", (SIGNS, 64)),
    "Slack bot": ("xo" + "xb-", (DIGITS, 12), "-", (DIGITS, 12), "-", (LETTERS, 24)),
    "Slack browser": ("xo" + "xc-", (DIGITS, 12), "-", (DIGITS, 12), "-", (DIGITS, 12), "-", (HEXADECIMAL, 64)),
    "Slack cookie": ("xo" + "xd-", (LETTERS, 30), "%2B", (LETTERS, 30), "%2F", (LETTERS, 30), "%3D%3D"),
    "AWS access key": ("AK" + "IA", (UPPER, 16)),
    "npm": ("np" + "m_", (LETTERS, 36)),
    "PyPI": ("py" + "pi-AgE", (SIGNS, 160)),
    "DigitalOcean": ("do" + "p_v1_", (HEXADECIMAL, 64)),
    "Replicate": ("r" + "8_", (SIGNS, 37)),
    "Groq": ("gs" + "k_", (LETTERS, 52)),
    "xAI": ("xa" + "i-", (LETTERS + "_", 80)),
    "Perplexity": ("pp" + "lx-", (LETTERS, 48)),
    "Databricks": ("da" + "pi", (HEXADECIMAL, 32), "-", (DIGITS, 1)),
    "Docker": ("dckr" + "_pat_", (SIGNS, 27)),
    "Docker organization": ("dckr" + "_oat_", (SIGNS, 32)),
    "Stripe": ("s" + "k_live_", (LETTERS, 24)),
    "Stripe webhook": ("wh" + "sec_", (LETTERS, 32)),
    "Standard webhook": ("wh" + "sec_", (BASE64, 43), "="),
    "SendGrid": ("S" + "G.", (SIGNS, 22), ".", (SIGNS, 43)),
    "Vault": ("hv" + "s.", (SIGNS, 91)),
    "Grafana": ("gl" + "sa_", (LETTERS, 32), "_", (HEXADECIMAL, 8)),
    "Grafana Cloud": ("gl" + "c_eyJ", (BASE64, 120), "="),
    "LangSmith": ("ls" + "v2_pt_", (HEXADECIMAL, 32), "_", (HEXADECIMAL, 10)),
    "Weights & Biases": ("wan" + "db_v1_", (LETTERS, 27), "_", (LETTERS, 50)),
    "Tavily": ("tv" + "ly-dev-", (SIGNS, 32)),
    "Sentry organization": ("sn" + "trys_eyJ", (BASE64, 120), "=_", (BASE64, 43)),
    "Sentry user": ("sn" + "tryu_", (HEXADECIMAL, 64)),
    "Atlassian": ("ATA" + "TT3", (SIGNS + "=", 185), (LETTERS, 1)),
    "Bitbucket repository": ("ATC" + "TT3", (SIGNS, 170), "=", (UPPER, 8)),
    "Bitbucket app": ("AT" + "BB", (LETTERS, 32)),
    "Azure application": ("aB3" + "8Q~", (SIGNS + "~.", 34)),
    "Azure shared access signature": ("?s" + "ig=", (LETTERS, 20), "%2B", (LETTERS, 20), "%2F%3D"),
    "Azure shared access signature, decoded": ("&s" + "ig=", (BASE64, 43), "="),
    "Telegram bot": ("1234567890" + ":AA", (SIGNS, 33)),
    "Discord bot": ("MTIzNDU2Nzg5MDEyMzQ1", "Njc4", ".", (SIGNS, 6), ".", (SIGNS, 38)),
    "Heroku": ("HR" + "KU-", "AA", (SIGNS, 58)),
    "Doppler personal": ("dp" + ".pt.", (LETTERS, 43)),
    "Doppler service": ("dp" + ".st.", "dev_x.", (LETTERS, 43)),
    "Dynatrace": ("dt0" + "c01.", (UPPER, 24), ".", (UPPER, 64)),
    "PlanetScale": ("pscale" + "_tkn_", (SIGNS + "=.", 42), (LETTERS, 1)),
    "PlanetScale password": ("pscale" + "_pw_", (SIGNS, 43)),
    "RubyGems": ("ruby" + "gems_", (HEXADECIMAL, 48)),
    "HubSpot": ("pa" + "t-eu1-", (HEXADECIMAL, 8), "-4a5b-4c6d-8e7f-", (HEXADECIMAL, 12)),
    "Langfuse": ("s" + "k-lf-", (HEXADECIMAL, 8), "-4a5b-4c6d-8e7f-", (HEXADECIMAL, 12)),
    "Terraform": ("aB3dE6gH9jK2mN" + ".atlas" + "v1.", (SIGNS + "=", 67)),
    "1Password": ("op" + "s_eyJ", (BASE64, 250), "=="),
    "Fireworks": ("f" + "w_", (LETTERS, 24)),
    "Together": ("tg" + "p_v1_", (SIGNS, 43)),
    "Jina": ("ji" + "na_", (HEXADECIMAL, 32), (SIGNS, 28)),
    "Kaggle": ("KG" + "AT_", (HEXADECIMAL, 32)),
    "Cerebras": ("cs" + "k-", (LOWER, 48)),
    "Bedrock": ("AB" + "SK", (BASE64, 128), "="),
    "Bedrock short-lived": ("bedrock-api" + "-key-", (BASE64, 600), "=="),
    "Square": ("sq0" + "atp-", (SIGNS, 22)),
    "Facebook": ("EA" + "AG", (LETTERS, 180)),
    "Fly.io": ("fm" + "2_", (BASE64, 500), "=="),
    "Fly.io organization": ("fo" + "1_", (SIGNS, 43)),
}
"""What of a form is its mark, and of which signs and how many the rest is drawn; texts in it stand as they are."""

ORDINARY = (
    "711ad2ea6aa40cfca18895e8aca02ab92df1a746",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
    "123e4567-e89b-12d3-a456-426614174000",
    "arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole-20260101T000000",
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:HuggingFaceToken-AbCdEf",
    "s3://my-bucket/Models2026/Llama3Instruct/Checkpoint4000/AdapterFinal",
    "/opt/ml/input/data/train/MyCompany2026/ConversationsFinal/Shard0001.jsonl",
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.9-gpu-py312",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "{% for message in messages %}{{ message['content'] }}{% endfor %}",
    "eyUlIGZvciBtZXNzYWdlIGluIG1lc3NhZ2VzICV9e3sgbWVzc2FnZVsnY29udGVudCddIH19eyUgZW5kZm9yICV9" * 3,
    "npm_config_cache_directory_of_the_build",
    "risk-assessment-model-trained-on-2026-data",
    "task-specific-sk-learn-classifier-of-many-words",
    "ThisIsALongCamelCaseNameOfForty2Letters0",
    "0123456789ABCDEF0123456789ABCDEF01234567",
    "AKIA",
    "hf_transfer",
    "hf_xet_high_performance",
    "model.layers.0.self_attn.q_proj.lora_A.default.weight",
    "Model_of_twenty_four_signs.config.a_name_that_goes_on_for_more_than_twenty_seven_signs",
    "jina_embeddings_v3_for_retrieval_and_classification",
    "jinaai/jina-embeddings-v2-base-en",
    "fw_param_group_learning_rate_of_the_forward_pass",
    "xai-explainability-toolkit-for-language-models",
    "tvly-search-results-of-the-evaluation",
    "r8_distilled-student-of-many-layers-and-heads",
    "whsec_of_the_endpoint_named_in_the_settings",
    "glc_output/checkpoints/of/the/second/experiment/final",
    "pat-na1-conversations-of-support-agents",
    "EAAAAAAAAAAABAAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAUAAAAEAAUAAgABgAHAAwAAAAQABAAAAA",
    "/////7gAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAUAAAAEAAUAAgA",
    "12345678:adapter-of-the-second-experiment-final",
    "dp.step.of.the.scheduler.and.the.optimizer.state",
    "config=default&sig=none&revision=main",
    "s3://my-bucket/1//0-first-shard-of-the-conversations",
    "s3://0.ab/047A9K/569J/02368DHI/00111234578BCEFG",
    "task-msk-classification-of-rare-skin-conditions",
)


def hidden(secret: str) -> str:
    """The last part of an example: what must never be shown, whatever stays readable before it."""
    return secret.removesuffix("@host.example")[-12:]
