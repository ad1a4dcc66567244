from tests.copies.shop import Shop, manifest, opened


def test_smoke(shop: Shop) -> None:
    page = shop.page("/studies/1.2.3/copy")
    assert page.status_code == 200, page.text
    print(page.text)
    z = opened(shop.press("/studies/1.2.3/copy"))
    print(z.namelist())
    print(z.read("README.txt").decode("utf-8-sig"))
    print(z.read("manifest.json").decode())
    assert z.testzip() is None
