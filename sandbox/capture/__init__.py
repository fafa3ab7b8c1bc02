"""The capture: it stands where Slack, PagerDuty and the others do, and shows what they received.

One process, `python -m sandbox.capture FOLDER`, is an HTTPS proxy and a web page. The proxy
answers as Slack, PagerDuty, Microsoft Teams and SendGrid would, takes any webhook below example.com
that is registered, and refuses every other host; it never opens a connection of its own. Webhook
URLs and keys are secrets: they reach neither a file, a log nor the page.
"""
