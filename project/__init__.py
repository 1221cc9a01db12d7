"""The deployment: a Django project whose settings come from the environment."""
