"""The registry: contracts, their versions, and the gate, over HTTP. `app.create_app` is where its parts meet."""
