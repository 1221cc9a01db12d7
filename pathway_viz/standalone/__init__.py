"""The script mode: a web node, a Valkey and a supervisor for whoever has no site of their own."""
