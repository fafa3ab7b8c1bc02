"""The capture: it stands where Slack and PagerDuty do, and shows what they would have received.

One process, `python -m sandbox.capture FOLDER`, is an HTTPS proxy and a web page. The proxy
answers as hooks.slack.com and events.pagerduty.com would and refuses every other host; it never
opens a connection of its own. Webhook URLs and routing keys are secrets: they reach neither a
file, a log nor the page.
"""
