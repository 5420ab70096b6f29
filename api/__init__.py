"""What people and programs call: commands, an HTTP server and a page, over one library."""
