"""Live Kafka messages against registered contracts: serializers, a consumer, the guard, dead letters and replay."""
