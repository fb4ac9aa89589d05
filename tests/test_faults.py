from monitor.faults import ConfigError, Fault, allowed


def test_a_fault_is_one_line_of_place_key_message_and_hint() -> None:
    fault = Fault("unknown key", "shop/site.evry", "shop.yaml", 4, 2, "did you mean every?")
    assert str(fault) == "shop.yaml:4: shop/site.evry: unknown key; did you mean every?"
    assert str(Fault("is empty", file="shop.yaml")) == "shop.yaml: is empty"
    assert str(Fault("is not set", key="PORT")) == "PORT: is not set"


def test_a_fault_breaks_no_line_and_moves_no_cursor() -> None:
    """What it repeats from a file may hold anything."""
    assert str(Fault("a\nb\x1b[31mc\u2028d")) == "a b [31mc d"


def test_an_error_holds_each_fault_once_in_the_order_of_the_files() -> None:
    late, early, other = Fault("x", "k", "b", 9), Fault("y", "k", "b", 2), Fault("z", "k", "a", 5)
    error = ConfigError([late, early, late, other])
    assert error.faults == (other, early, late)
    assert str(error) == "a:5: k: z\nb:2: k: y\nb:9: k: x"


def test_what_is_allowed_begins_with_what_was_probably_meant() -> None:
    assert allowed("evry", ["title", "every"]) == "did you mean every? allowed: title, every"
    assert allowed("zzz", ["title", "title"]) == "allowed: title"
    assert allowed("zzz", []) == "none is allowed here"
    assert allowed("zzz", map(str, range(100))).endswith(" 39, …")
