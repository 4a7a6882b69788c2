from bot.slack.errors import posting_sentence


def test_what_slack_refuses_comes_with_the_fix() -> None:
    for code, fix in (
        ("not_in_channel", "`/invite @Bits Bot`"),
        ("channel_not_found", "`/invite @Bits Bot`"),
        ("is_archived", "another channel"),
        ("restricted_action", "workspace admin"),
        ("restricted_action_read_only_channel", "channel manager"),
        ("restricted_action_thread_locked", "unlock"),
        ("restricted_action_of_next_year", "workspace admin"),
        ("cannot_reply_to_message", "another message"),
        ("missing_scope", "install it again"),
        ("token_revoked", "install it again"),
        ("brand_new_code", "`brand_new_code`"),
        ("", "whoever runs Bits Bot"),
        ("<!channel>{0}", "&lt;!channel&gt;{0}"),
    ):
        assert fix in posting_sentence(code, channel="C0OPS")


def test_a_bots_name_and_channel_are_as_people_see_them() -> None:
    assert "<#C0OPS>" in posting_sentence("is_archived", channel="C0OPS")


def test_a_direct_message_is_not_called_a_channel() -> None:
    for code in ("not_in_channel", "channel_not_found", "restricted_action", "is_archived"):
        told = posting_sentence(code, channel="D0ANA")
        assert "direct message" in told
        assert "<#" not in told
        assert "/invite" not in told
        assert "private" not in told
