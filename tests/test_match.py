"""Matching: the tier that answers, the order of answers, suggestions; and properties that hold for any text."""

from __future__ import annotations

import pytest
from conftest import listing
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

import xunqin

CATALOG = xunqin.Catalog(xunqin.load_list(xunqin.data_file("points.csv")))


def other_province(**cells: str) -> xunqin.Catalog:
    import csv
    import io

    return xunqin.Catalog(list(csv.DictReader(io.StringIO(listing(1, **cells)))))


ENSHI = ("恩施市", "利川市", "建始县", "巴东县", "宣恩县", "咸丰县", "来凤县", "鹤峰县")
XIAOGAN = tuple(name for _, name in CATALOG.cities["孝感市"])
XIANGYANG = tuple(name for _, name in CATALOG.cities["襄阳市"])
WUHAN = tuple(name for _, name in CATALOG.cities["武汉市"])


def answers(query: str, catalog: xunqin.Catalog = CATALOG) -> list[tuple[str, str]]:
    return [(hit.division[1], hit.tier) for hit in xunqin.search(query, catalog)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("江岸", [("江岸区", "exact")]),
        ("湖北 武汉 江岸", [("江岸区", "exact")]),
        ("江岸分局", [("江岸区", "unit")]),
        ("武汉市江岸区公安分局刑侦支队", [("江岸区", "unit")]),
        ("黄石大泉路88号", [(d, "city") for d in ("黄石港区", "西塞山区", "下陆区", "铁山区", "阳新县", "大冶市")]),
        ("我在鄂州的某小区12栋住过", [(d, "city") for d in ("梁子湖区", "华容区", "鄂城区", "鄂州临空经济区")]),
        ("黄石", [(d, "city") for d in ("黄石港区", "西塞山区", "下陆区", "铁山区", "阳新县", "大冶市")]),
        ("我在荆州监利", [("监利市", "address")]),
        ("huangpo", [("黄陂区", "pinyin")]),
        ("江an", [("江岸区", "pinyin")]),
        ("jl", [("江陵县", "initials"), ("监利市", "initials")]),
        ("乔口", [("硚口区", "homophone")]),
        ("沔阳", [("仙桃市", "former")]),
        ("江陵县", [("江陵县", "exact"), ("荆州区", "former")]),
        ("随县", [("随县", "exact"), ("曾都区", "former")]),
        ("宜昌县", [("夷陵区", "former"), ("点军区", "former")]),
        ("汉口", [("江岸区", "popular"), ("江汉区", "popular"), ("硚口区", "popular")]),
        ("新华", [("江汉区", "township"), ("孝南区", "township"), ("神农架林区", "township")]),
        ("大治", [("大冶市", "lookalike")]),
        ("qiaoko", [("硚口区", "typo")]),
        ("江岸县", [("江岸区", "exact")]),
        ("黄石市公安局", [(d, "unit") for d in ("黄石港区", "西塞山区", "下陆区", "铁山区", "阳新县", "大冶市")]),
        ("我在广州，老家监利", [("监利市", "address")]),
        ("广州监利", []),
        ("江陵", [("江陵县", "exact"), ("荆州区", "former")]),
        ("江陵县公安局", [("江陵县", "unit")]),
        ("我在汉口", [("江岸区", "address"), ("江汉区", "address"), ("硚口区", "address")]),
        ("宜昌县人", [("夷陵区", "address"), ("点军区", "address")]),
        ("我在黄州市", [("黄州区", "address"), ("团风县", "address")]),
        ("荆州公安公安局", [("公安县", "unit")]),
        ("武汉的江岸", [("江岸区", "address")]),
        ("从汉阳到武汉", [("汉阳区", "address")]),
        ("421023", [("监利市", "code")]),
        ("0728", [("仙桃市", "code"), ("潜江市", "code"), ("天门市", "code")]),
        ("鄂M", [("仙桃市", "code")]),
        ("422427198003127019", [("仙桃市", "code")]),
        ("Jianli, Hubei", [("监利市", "pinyin")]),
        ("jiang1an4", [("江岸区", "pinyin")]),
        ("西塞区", [("西塞山区", "typo")]),
        ("监利，荆州，湖北", [("监利市", "exact")]),
        ("钟祥（不是通山）", [("钟祥市", "address")]),
        ("不是武昌，是老河口", [("老河口市", "address")]),
        ("天门、仙桃、潜江", [("天门市", "address"), ("仙桃市", "address"), ("潜江市", "address")]),
        ("监利和洪湖", [("监利市", "address"), ("洪湖市", "address")]),
        ("我是zhijiang的", [("枝江市", "address")]),
        ("湖北zhijiang", [("枝江市", "exact")]),
        ("我叫远安", []),
        ("洪山叔叔", []),
        ("在河南长大的浠水人", [("浠水县", "address")]),
        ("华容 湖南", []),
        ("黄陂南路", []),
        ("红安全帽", []),
        ("天门寺", []),
        ("大门", []),
        ("湖北荆州坚利市", [("监利市", "homophone")]),
        ("恩施坝东", [("巴东县", "homophone")]),
        ("武汉江安", [("江岸区", "homophone")]),
        ("黄石黄室港", [("黄石港区", "homophone")]),
        ("人民公安", []),
        ("弟弟小名叫天门", []),
        ("鄂M12345", [("仙桃市", "code")]),
        ("地点：监利", [("监利市", "address")]),
        ("姜安", []),
        ("洪山区东湖新技术开发区", [("洪山区", "address")]),
        ("汉阳先生", []),
        ("去公安采血", []),
        ("公安人员", []),
        ("公安斗湖堤", [("公安县", "address")]),
        ("421023********1234", [("监利市", "code")]),
        ("420583元", []),
        ("巴巴东", [("巴东县", "typo")]),
        ("wuhqu", []),
        ("恩师", [(d, "homophone") for d in ENSHI]),
        ("行走县", [("新洲区", "homophone")]),
        ("十堰市城关镇", [(d, "township") for d in ("郧阳区", "郧西县", "竹山县", "竹溪县", "房县")]),
        ("鄂西土族苗族自治州", [(d, "former") for d in ENSHI]),
        ("湖北jiangan区刑警", [("江岸区", "unit")]),
        ("呵呵呵木鱼镇", [("神农架林区", "address")]),
        ("武汉枝城", []),
        ("宜昌枝城", [("宜都市", "former")]),
        ("荆州荆州", [("荆州区", "exact")]),
        ("襄樊市襄阳", [("襄州区", "former")]),
        ("河南来的高桥乡人", []),
        ("恩施州鹤峰人氏", [("鹤峰县", "address")]),
        ("红安全帽厂", [("红安县", "address")]),
        ("茅坪宋河东路", []),
        ("荆州地区沔阳区", []),
        ("坚暗", []),
        ("云西县上津镇", [("郧西县", "homophone")]),
        ("Anjia Town, Yunxi County, Shiyan City, Hubei, China", [("郧西县", "pinyin")]),
        ("jingzhoushishou", [("石首市", "pinyin")]),
        ("wo shi jianli ren", [("监利市", "pinyin")]),
        ("wo shi jianli de", [("监利市", "pinyin")]),
        ("wujiaqu", []),
        ("police of jianli", [("监利市", "pinyin")]),
        ("徐古街街道李家村", [("新洲区", "address")]),
        ("保安派出所", [("大冶市", "township")]),
        ("鄂cheng", [("鄂城区", "pinyin")]),
        ("孝感地区黄皮", [("黄陂区", "homophone")]),
        ("0728-6225110", [("仙桃市", "code"), ("潜江市", "code"), ("天门市", "code")]),
        ("请问乔口怎么走", [("硚口区", "homophone")]),
        ("急先锋", []),
        ("保安大队", []),
        ("chibo", []),  # five letters, one beside the right key: as often no name at all
        ("想问一下咸丰忠堡那边能采血吗", [("咸丰县", "address")]),
        ("大人说是从天门抱的我", [("天门市", "address")]),
        ("黄梅药业", []),
        ("汉阳中路", []),
        ("襄阳南路", []),
        ("我小时候住在罕南区后来走丢了", [("汉南区", "homophone")]),
        ("jianlide", []),
        ("woshijianlide", [("监利市", "pinyin")]),
        ("yincheng", []),  # 应城 and 宜城 are both one slip away
        ("武汉市枝将市", []),
        ("荆州麻成县", []),
        ("宜昌监力县", []),
        ("我在武汉市枝将市走丢", []),
        ("荆州麻成", []),
        ("武汉枝将", []),
        ("宜昌监力", []),
        ("cytjzzzx", [("长阳土家族自治县", "initials")]),
        ("公安公安局", [("公安县", "unit")]),
        ("我不是房县人", []),
        ("没去过房县", []),
        ("云南的通山在哪里", []),
        ("鄂西北的竹溪", [("竹溪县", "address")]),
        ("宜昌县小溪塔镇", [("夷陵区", "address")]),
        ("身份证号421023开头", [("监利市", "code")]),
        ("enshizaina", [("恩施市", "pinyin")]),
        ("我是jiangling的", [("江陵县", "address")]),
        ("点军宜昌", [("点军区", "exact")]),
        ("团风县（黄冈）", [("团风县", "exact")]),
        ("mianyang", [("仙桃市", "pinyin")]),
        ("洪湖岸边是家乡", []),
        ("监利方向去", []),
        ("天门陈家大湾", [("天门市", "address")]),
        ("白云黄石花园社区", []),
        ("钟祥胡集房县湾", [("钟祥市", "address")]),
        ("孝感市黄陂大道3号", [(d, "city") for d in XIAOGAN]),
        ("隔壁老王住在襄樊", [(d, "city") for d in XIANGYANG]),
        ("湖北荆州江林县", [("江陵县", "homophone")]),
        ("我小时候在硬山县走丢", [("英山县", "homophone")]),
        ("姜安区", [("江岸区", "homophone")]),
        ("lvcongpo", [("巴东县", "pinyin")]),
        ("jan", []),
        ("湖北省十堰市仿县姚坪乡", [("房县", "address")]),
        ("东西湖柏泉中学", [("东西湖区", "address")]),
        ("白纸坊街道", []),
        ("anlo", []),
        ("江岸区" + "哈" * 197, [("江岸区", "address")]),
        ("江岸区" + "哈" * 198, []),
        ("421023 1980 0101 1234", [("监利市", "code")]),
        ("东湖生态旅游风井区", [("东湖生态旅游风景区", "homophone")]),
        ("汉口大队", [(d, "address") for d in ("江岸区", "江汉区", "硚口区")]),
        ("石堰竹溪", [("竹溪县", "homophone")]),
        ("武汉枝城镇", [(d, "city") for d in WUHAN]),
        ("河口县", []),
        ("ziaokou", []),
        ("广州监利，老家洪湖", [("洪湖市", "address")]),
        ("阳新县江陵县", [("阳新县", "address"), ("江陵县", "address")]),
        ("我是jingzhou的", [("荆州区", "address")]),
        ("江陵，荆州", [("江陵县", "exact")]),
        ("汉阳武汉", [("汉阳区", "exact")]),
        ("公安人民医院", [("公安县", "address")]),
        ("公安医院", []),
        ("公安福利院", [("公安县", "address")]),
        ("公安附近村庄", []),
        ("公安宜昌路159号", [("公安县", "address")]),
        ("公安话", [("公安县", "address")]),
        ("不是巴东，是公安", [("公安县", "address")]),
        ("我不是巴东人，我是公安人", [("公安县", "address")]),
        ("江岸公安", [("江岸区", "unit")]),
        ("旧街街道曹家井村", [("新洲区", "address")]),
        ("陆城街", [("宜都市", "township")]),
        ("葛店乡", [("华容区", "popular")]),
        ("沔阳镇", []),
        ("郧阳城关", [("郧阳区", "township")]),
        ("五峰自治县", [("五峰土家族自治县", "exact")]),
        ("长阳土家族县", [("长阳土家族自治县", "exact")]),
        ("土家族自治县", []),
        ("422427800312701", [("仙桃市", "code")]),
        ("门牌0713", []),
        ("4210235", []),
        ("13栋监利", []),
        ("老家监利，电话07286225110", [("监利市", "address")]),
        ("02785395340", [(d, "code") for d in WUHAN]),
        ("湖北daye", [("大冶市", "exact")]),
        ("襄羊市南漳县", [("南漳县", "address")]),
        ("小芳湖南省华容县", []),
        ("石港区", [("黄石港区", "typo")]),
        ("都市", []),
        ("武汉东湖", []),
        ("随州市现在归哪里管", [(d, "city") for d in ("曾都区", "随县", "广水市")]),
    ],
)
def test_the_tier_that_answers(query: str, expected: list[tuple[str, str]]) -> None:
    assert answers(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("我在枝城市", [("宜都市", "1998 年以前的枝城市，今宜都市")]),
        ("监利", [("监利市", "")]),
        ("荆州监利", [("监利市", "")]),
        ("应山公安局电话", [("广水市", "1988 年以前的应山，今广水市")]),
        ("长阳土家族自治县长阳县磨市镇", [("长阳土家族自治县", "")]),
        ("孝感黄陂", [("黄陂区", "黄陂区一带以前归孝感管")]),
        ("荆州地区沔阳县", [("仙桃市", "1986 年以前的沔阳县，今仙桃市；仙桃市一带以前归荆州地区管")]),
    ],
)
def test_what_the_note_says_of_then(query: str, expected: list[tuple[str, str]]) -> None:
    assert [(hit.division[1], hit.note) for hit in xunqin.search(query, CATALOG)] == expected


def test_a_city_keeps_what_is_in_it() -> None:
    assert [hit.division[1] for hit in xunqin.search("江岸", CATALOG, "武汉市")] == ["江岸区"]
    assert xunqin.search("江岸", CATALOG, "黄石市") == []


def test_only_full_names_elsewhere_are_official() -> None:
    assert [sense.kind for sense in xunqin.elsewhere_senses("沔阳县")] == []
    assert xunqin.is_official_elsewhere("益都县")
    assert not xunqin.is_official_elsewhere("益都")


@pytest.mark.parametrize(
    ("text", "provinces"),
    [
        ("13栋住户", ""),
        ("130102198001011234", "河北"),
        ("小芳湖南省华容县", "湖南"),
        ("襄羊市南漳县", ""),
        ("华容", "湖南"),
    ],
)
def test_the_provinces_of_places_elsewhere(text: str, provinces: str) -> None:
    assert xunqin.elsewhere_of(text, CATALOG) == provinces


def test_a_row_without_names_changes_nothing() -> None:
    row = dict.fromkeys(xunqin.COLUMNS, "")
    catalog = xunqin.Catalog([*CATALOG.rows, {**row, "code": "420000", "unit": "某大队"}])
    assert (catalog.provinces, list(catalog.cities)) == (CATALOG.provinces, list(CATALOG.cities))
    for query in ("江岸", "jiangan", "大冶县", "火星", "省", "anjiang"):
        assert answers(query, catalog) == answers(query), query
        assert xunqin.suggest(query, catalog) == xunqin.suggest(query, CATALOG), query


def test_a_province_with_a_unit_of_its_own_is_a_whole_city() -> None:
    row = {**CATALOG.rows[0], "code": "420000", "city": "湖北省", "district": "湖北省", "unit": "湖北省公安厅"}
    catalog = xunqin.Catalog([*CATALOG.rows, row])
    assert answers("湖北", catalog) == [("湖北省", "city")]
    assert answers("湖北监利", catalog) == answers("湖北监利")


def test_a_unit_of_a_whole_city_is_no_county_of_its_name() -> None:
    row = {**CATALOG.rows[0], "code": "420600", "city": "襄阳市", "district": "襄阳市", "unit": "襄阳市公安局刑侦支队"}
    catalog = xunqin.Catalog([*CATALOG.rows, row])
    counties = [name for _, name in CATALOG.cities["襄阳市"]]
    assert answers("襄阳市", catalog) == [(name, "city") for name in ("襄阳市", *counties)]
    assert answers("襄羊", catalog) == [(name, "homophone") for name in ("襄阳市", *counties)]


def test_a_name_of_county_and_prefecture_gives_the_county_first_then_the_rest() -> None:
    found = answers("恩施")
    assert found[0] == ("恩施市", "exact")
    assert {tier for _, tier in found[1:]} == {"city"}
    assert len(found) == 8
    assert answers("恩施市") == [("恩施市", "exact")]
    assert answers("荆州")[0] == ("荆州区", "exact")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("华容县", ["华容区"]),
        ("桐城", ["通城县"]),
        ("校长", ["孝昌县"]),
        ("行走", ["新洲区"]),
        ("武汉市大冶", ["大冶市"]),
        ("张湾镇", ["张湾区", "蔡甸区", "襄州区"]),
        ("宜部", ["宜都市"]),
        ("广州", []),
        ("兰州", []),
        ("信阳", []),
        ("shenzhen", []),
        ("洛阳", []),
        ("你好", []),
        ("中国", []),
        ("阿城", ["鄂城区"]),
        ("123", []),
        ("", []),
        ("江" * 50, []),
        ("江", []),
        ("黄陂南路" + "哈" * 36, ["黄陂区"]),
        ("黄陂南路" + "哈" * 37, []),
        ("laohekkoo", ["老河口市"]),
        ("荆明市", ["荆门市"]),
        ("𠮷𠮷", []),
        ("益都县", []),
        ("𠮷岸", []),
        ("东兴", ["大悟县"]),
        ("yincheng", ["应城市", "宜城市"]),
    ],
)
def test_suggestions_are_near_in_sound_or_shape_or_there_are_none(query: str, expected: list[str]) -> None:
    assert answers(query) == []
    assert [division[1] for division in xunqin.suggest(query, CATALOG)] == expected


def test_no_name_from_elsewhere_is_taken_for_one_in_hubei() -> None:
    """Every place outside Hubei since 1981, by full and short name and pinyin: only names that Hubei has too answer."""
    taken = {}
    for name in (*xunqin._table("elsewhere"), *xunqin._table("lexicon"), *xunqin._table("letters")):
        hits = answers(name) if xunqin.elsewhere_senses(name) else []
        own = {sense.kind for sense in CATALOG.senses(name)} & {"county", "former", "popular", "township"}
        if hits and not own:
            taken[name] = hits
    assert taken == {}
    # The letters of a county here and of one elsewhere are the same: a large one elsewhere wins over a town only.
    large = {name for name in xunqin._table("letters") if xunqin.is_large_elsewhere(name) and answers(name)}
    assert large == {"mianyang", "xinzhou"}  # 沔阳 was a county of Hubei, 新洲 is one


def test_another_provinces_list_needs_no_gazetteer() -> None:
    cells = {"province": "广东省", "city": "广州市", "district": "海珠区", "unit": "广州市公安局海珠分局刑警大队"}
    catalog = other_province(**cells)
    whole = ("海珠", "海珠区", "广州市海珠区", "广东 广州 海珠", "海珠分局", "广州", "广州市海珠区市桥街")
    for query in (*whole, "海朱", "广州海朱"):
        assert [name for name, _ in answers(query, catalog)] == ["海珠区"], query
    assert answers("haizhu", catalog) == [("海珠区", "pinyin")]
    assert answers("hz", catalog) == [("海珠区", "initials")]
    assert answers("海珠分局刑警", catalog) == [("海珠区", "unit")]
    assert answers("刑警", catalog) == [("海珠区", "unit")]
    assert answers("珠区", catalog) == [("海珠区", "unit")]
    for query in ("珠", "完全不相干的一句话", "北京市公安局海珠分局刑警大队"):
        assert answers(query, catalog) == [], query
    assert answers("珠分局", catalog) == [("海珠区", "unit")]
    assert answers("广州市公安局海珠分局形警大队", catalog) == [("海珠区", "address")]
    assert answers("广洲市公安局海珠分局行警大队", catalog) == [("海珠区", "address")]
    assert answers("广州市公安局海株分局行警大队", catalog) == [("海珠区", "typo")]
    two = xunqin.Catalog([{**catalog.rows[0], "unit": f"广州市公安局海珠分局{one}大队"} for one in ("刑侦", "治安")])
    assert answers("广州市公安局海株分局刑治大队", two) == []
    for query in ("江岸", "沔阳", "木鱼镇", "深圳", "广州市公安局天河分局", "abc"):
        assert answers(query, catalog) == [], query


def test_a_county_with_two_points_gives_both_and_a_row_without_unit_is_no_trouble() -> None:
    (row,) = other_province(district="海珠区", unit="一局").rows
    catalog = xunqin.Catalog([row, {**row, "unit": "二局"}, {**row, "district": "越秀区", "unit": ""}])
    hits = xunqin.search("海珠", catalog)
    assert [found["unit"] for found in xunqin.answer_rows("海珠", hits, catalog)] == ["一局", "二局"]
    assert answers("三局", catalog) == []
    loaded = xunqin.load_list(xunqin.data_file("points.csv"))
    assert [found["district"] for found in loaded[3:5]] == [loaded[3]["district"], loaded[4]["district"]]


def test_a_place_whose_county_is_not_in_the_list_gives_nothing() -> None:
    rows = [row for row in CATALOG.rows if row["district"] != "仙桃市"]
    assert answers("沔阳", xunqin.Catalog(rows)) == []


@given(st.text(max_size=60) | st.text("湖北武汉江岸区县市公安局镇jiang 、.0１Ａ鄖", max_size=30))
@settings(deadline=None, max_examples=300)
def test_search_and_suggest_never_raise(text: str) -> None:
    xunqin.search(text, CATALOG)
    xunqin.suggest(text, CATALOG)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
@settings(deadline=None, max_examples=300)
def test_one_slip_is_a_distance_of_one_or_none(typed: str, right: str) -> None:
    assert xunqin.one_slip(typed, right) == (OSA.distance(typed, right) <= 1)


PLACES = [*xunqin.places_of(True), *xunqin.places_of(False)]
NAMED = [(name, place) for place in PLACES for name in place.names()]
# The zone of this name has a bureau of its own; the Bureau of Statistics also lists it among two districts' townships.
ZONE_WINS = [("东湖风景区", "武昌区"), ("东湖风景区", "洪山区"), ("临空经济区", "鄂城区")]


@pytest.mark.parametrize("kind", ["county", "zone", "prefecture", "former", "popular", "township"])
def test_every_stored_name_finds_its_own_county_first_unless_another_holds_the_name(kind: str) -> None:
    lost = []
    for name, place in NAMED:
        large = kind == "township" and name == place.short and xunqin.is_large_elsewhere(name)
        # 洛阳, 南阳, 安阳, 金华 are cities elsewhere, their full names 洛阳镇 are tried; 车站 is any station.
        if place.kind != kind or large or xunqin.words_around().get(name):
            continue
        found = [hit.division for hit in xunqin.search(name, CATALOG)]
        held = {division for sense in CATALOG.senses(name) for division in sense.divisions}
        above = CATALOG.counties.get(name) or any(sense.kind == "city" for sense in CATALOG.senses(name))
        own = CATALOG.resolve(place.code, place.district)
        if not found or found[0] not in held or (not above and not set(own) & set(found)):
            lost.append((name, place.district))
    assert lost == (ZONE_WINS if kind == "township" else [])


def test_every_stored_reading_finds_its_own_county_unless_another_sounds_the_same() -> None:
    lost = []
    for name, place in NAMED:
        for reading in set(place.readings(name)):
            letters = "".join(reading)
            if xunqin.is_large_elsewhere(letters) and place.kind in ("popular", "township"):
                continue
            found = {hit.division for hit in xunqin.search(" ".join(reading), CATALOG)}
            same = {d for candidate in CATALOG.find("spelling", [letters]) for d in candidate.divisions}
            same |= {d for sense in CATALOG.senses(letters) for d in sense.divisions}
            if not found & (set(CATALOG.resolve(place.code, place.district)) | same):
                lost.append((letters, place.district, found))
    assert lost == []


QUERIES = [place.name for place in PLACES[::7]] + ["武汉硚口", "乔口", "大治", "huangpi", "沔阳", "火星"]
NOISE = st.text(" \t　、，。.-·'（）", max_size=3)


@given(st.sampled_from(QUERIES), st.data())
@settings(deadline=None, max_examples=200)
def test_spaces_width_case_and_punctuation_never_change_an_answer(query: str, data: st.DataObject) -> None:
    noisy = "".join(data.draw(NOISE) + c for c in query) + data.draw(NOISE)
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in noisy)
    expected = answers(query)
    assert answers(noisy) == expected
    assert answers(wide.upper()) == expected


def test_traditional_characters_never_change_an_answer() -> None:
    import opencc

    convert = opencc.OpenCC("s2t").convert
    for place in PLACES:
        assert answers(convert(place.name)) == answers(place.name), place.name


def test_a_citys_own_unit_comes_first_for_the_city_and_behind_its_counties_own() -> None:
    rows = list(CATALOG.rows)
    above = {"code": "420600", "city": "襄阳市", "district": "襄阳市", "unit": "襄阳市公安局刑侦支队"}
    province = {"code": "420000", "city": "湖北省", "district": "湖北省", "unit": "湖北省公安厅刑侦总队"}
    catalog = xunqin.Catalog([*rows, {**rows[0], **above}, {**rows[0], **province}])
    assert answers("襄阳", catalog)[:2] == [("襄阳市", "city"), ("襄城区", "city")]
    assert answers("襄阳市公安局刑侦支队", catalog)[0] == ("襄阳市", "unit")
    assert answers("宜城", catalog) == [("宜城市", "exact")]
    assert answers("湖北省公安厅刑侦总队", catalog) == [("湖北省", "unit")]
    hits = xunqin.search("宜城", catalog)
    units = [row["unit"] for row in xunqin.answer_rows("宜城", hits, catalog)]
    assert units == ["宜城市公安局", "襄阳市公安局刑侦支队"]
    assert answers("湖北", CATALOG) == []
    assert [*catalog.cities] == [*CATALOG.cities]  # the province is no city


def test_a_short_name_keeps_two_characters() -> None:
    names = ("白土家族自治县", "长阳土家族自治县", "神农架林区", "房县", "恩施土家族苗族自治州", "各族自治县")
    assert [*map(xunqin.short_name, names)] == ["白土家族", "长阳", "神农架", "房县", "恩施", "各族"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("421023198001011234", "421023************"),
        ("监利 421023 19800101 1234", "监利 421023************"),
        ("42102319800101123X，还有420983881122001", "421023************，还有420983************"),
        ("13812345678 421023", "13812345678 421023"),
    ],
)
def test_a_cards_number_is_masked(text: str, expected: str) -> None:
    assert xunqin.masked(text) == expected
    assert xunqin.masked(expected) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("南山区", "黑龙江、广东"),
        ("广东揭阳", "广东"),
        ("北京市朝阳区", "北京"),
        ("信阳新县", "河南"),
        ("琼山市", "海南"),
        ("440106199001011234", "广东"),
        ("监利", ""),
    ],
)
def test_the_provinces_of_a_place_elsewhere(query: str, expected: str) -> None:
    assert xunqin.elsewhere_of(query, CATALOG) == expected
    assert bool(answers(query)) == (not expected)
