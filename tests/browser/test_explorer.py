from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import playwright.sync_api as playwright
import pytest
from playwright.sync_api import expect

import brasa

Open = Callable[..., playwright.Page]
NEIGHBORS = "Nearest words"


def _first(page: playwright.Page, name: str) -> str:
    return page.get_by_role("list", name=name).locator(".name").first.inner_text()


def test_neighbors_come_while_typing(open_page: Open, url: str, models: Path) -> None:
    page = open_page(url)
    vectors = brasa.WordVectors.load(models / "wordnet")
    page.get_by_label("Type a word").press_sequentially("river", delay=20)
    expect(page.get_by_role("heading", name="river", exact=True)).to_be_visible()
    expect(page.get_by_role("list", name=NEIGHBORS)).to_be_visible()
    expected = [word for word, _ in vectors.neighbors("river", 20)]
    names = page.get_by_role("list", name=NEIGHBORS).locator(".name")
    expect(names).to_have_text(expected)
    expect(page.get_by_text(f"rank {vectors.words.index('river') + 1:,}, seen")).to_be_visible()


def test_an_unseen_word_shows_its_ngrams(open_page: Open, url: str, models: Path) -> None:
    page = open_page(f"{url}/#word=awweeesome")
    expect(page.get_by_text("Never seen in training")).to_be_visible()
    shown = page.get_by_role("list", name="What the vector is made of").locator(".name")
    parts = brasa.WordVectors.load(models / "wordnet").subwords("awweeesome")
    expect(shown).to_have_count(len(parts))
    assert {name.inner_text() for name in shown.all()} == {part.text for part in parts}


def test_a_neighbor_is_gone_to_and_back(open_page: Open, url: str) -> None:
    page = open_page(f"{url}/#word=river")
    expect(page.get_by_role("list", name=NEIGHBORS)).to_be_visible()
    first = _first(page, NEIGHBORS)
    page.get_by_role("list", name=NEIGHBORS).get_by_role("button").first.click()
    expect(page.get_by_role("heading", name=first, exact=True)).to_be_visible()
    assert f"word={quote(first)}" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="river", exact=True)).to_be_visible()


def test_analogies_and_comparison(open_page: Open, url: str, models: Path) -> None:
    vectors = brasa.WordVectors.load(models / "wordnet")
    page = open_page(url)
    page.get_by_role("button", name="Analogies").click()
    for name, word in zip("ABC", ("man", "woman", "king"), strict=True):
        page.get_by_label(name, exact=True).fill(word)
    expect(page.get_by_role("list", name="Answers")).to_be_visible()
    assert _first(page, "Answers") == vectors.analogy("man", "woman", "king", 1)[0][0]
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("B", exact=True).fill("river")
    expect(page.locator(".figure")).to_have_text(f"{vectors.similarity('man', 'river'):.3f}")


def _wait_for_map(page: playwright.Page) -> None:
    expect(page.get_by_text("words", exact=False).locator("visible=true").first).to_be_visible()
    page.wait_for_function("document.querySelector('.selection')?.textContent.match(/\\d/)")
    page.wait_for_timeout(700)


def test_the_map_is_drawn_searched_and_kept_in_the_link(open_page: Open, url: str) -> None:
    page = open_page(f"{url}/#view=map", viewport={"width": 700, "height": 600})
    _wait_for_map(page)
    before = page.locator(".stage").screenshot()
    page.get_by_label("frequency").check()
    page.wait_for_timeout(400)
    assert page.locator(".stage").screenshot() != before
    page.get_by_label("Type a word").fill("river")
    page.wait_for_function("location.hash.includes('camera=')")
    page.wait_for_timeout(1200)
    link = page.url
    assert "coloring=frequency" in link
    again = open_page(link, viewport={"width": 700, "height": 600})
    _wait_for_map(again)
    assert again.get_by_label("frequency").is_checked()
    assert again.url.partition("camera=")[2][:6] == link.partition("camera=")[2][:6]


def test_a_lasso_selects_words_and_saves_them(
    open_page: Open, url: str, tmp_path: Path, models: Path
) -> None:
    page = open_page(f"{url}/#view=map")
    _wait_for_map(page)
    page.get_by_role("button", name="Lasso").click()
    box = page.locator(".stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 120, y - 120)
    page.mouse.down()
    for dx, dy in ((120, -120), (120, 120), (-120, 120), (-120, -110)):
        page.mouse.move(x + dx, y + dy, steps=12)
    page.mouse.up()
    expect(page.get_by_text("words selected")).to_be_visible()
    n = int(page.locator(".selection").inner_text().split()[0].replace(",", ""))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save CSV").click()
    download.value.save_as(tmp_path / "words.csv")
    lines = (tmp_path / "words.csv").read_text().splitlines()
    assert lines[0] == "word,count,x,y,cluster"
    assert len(lines) == n + 1
    vectors = brasa.WordVectors.load(models / "wordnet")
    assert all(line.split(",")[0].strip('"') in vectors for line in lines[1:20])


def test_umap_is_computed_while_it_says_so(open_page: Open, url: str) -> None:
    page = open_page(f"{url}/#view=map&method=umap")
    expect(page.get_by_text("Computing UMAP")).to_be_visible()
    page.wait_for_function(
        "document.querySelector('.selection')?.textContent.match(/\\d/)", timeout=90_000
    )
    assert page.get_by_label("UMAP").is_checked()


def test_without_webgl_the_rest_works(open_page: Open, url: str) -> None:
    page = open_page("about:blank")
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = page.context.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(f"{url}/#view=map")
    expect(page.get_by_text("shows no WebGL")).to_be_visible()
    page.get_by_role("button", name="Words").click()
    page.get_by_label("Type a word").fill("river")
    expect(page.get_by_role("list", name=NEIGHBORS)).to_be_visible()


def test_a_classifier_shows_labels_and_why(open_page: Open, url: str) -> None:
    page = open_page(url)
    page.get_by_label("Model").select_option("sentiment")
    page.get_by_label("Type a text").fill("a great film")
    expect(page.get_by_role("list", name="Labels")).to_be_visible()
    assert _first(page, "Labels") == "good"
    expect(page.locator("mark.towards").filter(has_text="great")).to_be_visible()
    page.get_by_role("button", name="bad").click()
    expect(page.get_by_role("heading", name="What speaks for bad")).to_be_visible()
    expect(page.locator("mark.away").filter(has_text="great")).to_be_visible()


def test_the_key_is_asked_for_and_kept(
    open_page: Open, serve: Callable[..., str], models: Path
) -> None:
    address = serve(models / "wordnet", "--api-key", "secret")
    page = open_page(address)
    page.get_by_label("Key", exact=True).fill("wrong")
    with page.expect_response("**/info"):
        page.keyboard.press("Enter")
    expect(page.get_by_label("Key", exact=True)).to_have_value("")
    page.get_by_label("Key", exact=True).fill("secret")
    page.get_by_role("button", name="Enter").click()
    page.get_by_label("Type a word").fill("river")
    expect(page.get_by_role("list", name=NEIGHBORS)).to_be_visible()
    page.reload()
    expect(page.get_by_role("list", name=NEIGHBORS)).to_be_visible()


def test_the_focus_stays_when_the_last_letters_answer_comes(open_page: Open, url: str) -> None:
    page = open_page(url)
    expect(page.get_by_label("Type a word")).to_be_focused()
    page.keyboard.type("rive")
    expect(page.get_by_role("heading", name="rive", exact=True)).to_be_visible()
    page.keyboard.press("r")
    for _ in range(3):  # before the answer, which takes 0.12 s
        page.keyboard.press("Tab")
    expect(page.get_by_role("heading", name="river", exact=True)).to_be_visible()
    focused = page.locator("li button:focus, li a:focus")
    expect(focused).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="river", exact=True)).not_to_be_visible()


def test_keys_alone_are_enough(open_page: Open, url: str) -> None:
    page = open_page(url)
    expect(page.get_by_label("Type a word")).to_be_focused()
    page.keyboard.type("river")
    expect(page.get_by_role("list", name=NEIGHBORS)).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="river", exact=True)).not_to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    expect(page.get_by_text("How similar are two words?")).to_be_visible()
    expect(page.get_by_label("A", exact=True)).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_portuguese_dark_and_narrow(open_page: Open, url: str) -> None:
    page = open_page(
        f"{url}/#word=river",
        locale="pt-BR", color_scheme="dark", viewport={"width": 360, "height": 740},
    )  # fmt: skip
    expect(page.get_by_role("heading", name="Palavras mais próximas")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "pt-BR"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    color = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert color == "rgb(23, 19, 17)"
    page.get_by_role("button", name="Idioma").click()
    expect(page.get_by_role("heading", name=NEIGHBORS)).to_be_visible()


@pytest.mark.parametrize("word", ["<img src=x onerror=alert(1)>", "%00", "#&=", "🜂", "a" * 3000])
def test_any_word_is_text(open_page: Open, url: str, word: str) -> None:
    page = open_page(f"{url}/#word={quote(word)}")
    expect(page.locator("main h1, main .message").first).to_be_visible()
    assert page.locator("main img").count() == 0


def test_an_exported_page_needs_no_server(open_page: Open, models: Path, tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "brasa")
    target = tmp_path / "page.html"
    command = [program, "explore", str(models / "wordnet"), "--export", str(target)]
    subprocess.run([*command, "--words", "2000"], check=True, capture_output=True)
    page = open_page(target.as_uri())
    vectors = brasa.WordVectors.load(models / "wordnet")
    page.get_by_label("Type a word").fill("river")
    expect(page.get_by_role("list", name=NEIGHBORS)).to_be_visible()
    found = [name.inner_text() for name in page.locator(".columns .name").all()][:10]
    expected = [word for word, _ in vectors.neighbors("river", 10, among=2000)]
    assert len(set(found) & set(expected)) >= 8  # vectors of 8 bits
    page.get_by_label("Type a word").fill("riverlike")
    expect(page.get_by_text("Never seen in training")).to_be_visible()
    named = page.get_by_role("list", name="What the vector is made of").locator(".name")
    assert {n.inner_text() for n in named.all()} == {p.text for p in vectors.subwords("riverlike")}
    page.get_by_role("button", name="Map", exact=True).click()
    _wait_for_map(page)
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("A", exact=True).fill("river")
    page.get_by_label("B", exact=True).fill("lake")
    shown = float(page.locator(".figure").inner_text())
    assert shown == pytest.approx(vectors.similarity("river", "lake"), abs=0.02)


def test_a_word_cannot_end_the_exported_data(tmp_path: Path) -> None:
    from brasa.serving.export import export_page

    text = ["</script><b> <!-- x"] * 9
    vectors = brasa.WordVectors.train(text, vector_dim=4, min_count=1, subwords=True, buckets=100)
    export_page(vectors, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    start = page.index('id="brasa-data">') + len('id="brasa-data">')
    data = json.loads(page[start : page.index("</script>", start)])
    assert set(data["words"]) == set(vectors.words)
