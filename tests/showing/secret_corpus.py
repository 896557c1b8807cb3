"""Made-up credentials of every published form, each with where the form is published, and what must stay as it is.

Each is put together from parts, so that scanners of this repository find none.
"""

from __future__ import annotations

GITLEAKS = "https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml"
DETECT_SECRETS = "https://github.com/Yelp/detect-secrets/tree/master/detect_secrets/plugins"
GITHUB = "https://docs.github.com/en/code-security/reference/secret-security/supported-secret-scanning-patterns"
AWS_IDS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"
AWS_KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
SLACK = "https://docs.slack.dev/authentication/tokens"
GITHUB_FORMATS = (
    "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github"
)
GITLAB = "https://docs.gitlab.com/security/tokens/"

MIXED = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6kL9nP2rS5uV8xA1cD4fG7iK0lM3oP6qR9tU2wX5zB8"
HEX = "3f9a0c7b5e1d8246a9c0f7e3b5d1828446ac0e9f7b3d5c1a2846e0f9c7b5d3a1"
CAPITALS = "Q7ZK2M9XW4VB8N3TRC5L"

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
    "Atlassian": ("ATA" + "TT3" + MIXED[:60], GITLEAKS),
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
)


def hidden(secret: str) -> str:
    """The last part of an example: what must never be shown, whatever stays readable before it."""
    return secret.removesuffix("@host.example")[-12:]
