"""What front ends share: values of a foreign file with their places, and the spec that is made of them."""
