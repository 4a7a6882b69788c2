"""What is drawn for `make pictures` is what the bot showed in the stories: each look once, with the names people read."""

from pathlib import Path

from tests.e2e.case_town import case_town, investigated, opens_form
from tests.pictures.draw import contact_sheet, read_surfaces, title
from tests.pictures.recorder import Recorder, watching


async def test_a_story_leaves_its_surfaces(tmp_path: Path) -> None:
    folder = tmp_path / "surfaces"
    folder.mkdir()
    with watching(Recorder(folder / "one.jsonl")):
        async with case_town(tmp_path) as town:
            for _ in range(2):
                alert = await investigated(town)
            await opens_form(town.ana, alert)
            await town.ana.fill({"Title": ""})
            outcome = await town.ana.submit()
            assert outcome.errors
            names = {town.ana.id: "ana"}

    found = read_surfaces(folder)

    conclusions = [one for one in found if "AI-written" in str(one.get("messages"))]
    assert len(conclusions) == 1, "the second run looks like the first"
    assert conclusions[0]["names"]["users"].items() >= names.items()
    assert all(one["messages"][0]["author"]["name"] != "Datadog" for one in found if one["kind"] == "message")
    assert any(one["kind"] == "modal" and one["view"]["errors"] for one in found), "the sentence under the field"
    named = [(f"{number}.png", one) for number, one in enumerate(found)]
    sheet = contact_sheet(named)
    assert all(f'src="{name}"' in sheet for name, _ in named)
    assert "Create case" in {title(one) for one in found}
