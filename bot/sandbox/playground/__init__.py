"""A page that shows the sandbox: Slack as people know it, Datadog beside it, and what goes between them and the bot.

`seed` is the story it opens with, `gestures` what people do in Slack, `control` what happens in Datadog and what breaks,
`journal` and `snapshot` what there is to see, `server` the address a browser opens.
"""
