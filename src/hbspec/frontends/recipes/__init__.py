"""Recipes of SageMaker HyperPod by the program that each is for; all are described in YAML that Hydra reads."""
