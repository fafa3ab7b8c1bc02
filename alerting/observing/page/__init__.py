"""What is seen, as pages: plain HTML made here, with plots as SVG and nothing from elsewhere."""
