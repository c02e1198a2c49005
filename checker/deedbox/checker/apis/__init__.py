"""What OpenAPI and AsyncAPI have in common: documents of many files, schemas at positions, findings by cause."""
