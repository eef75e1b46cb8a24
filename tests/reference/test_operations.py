from reference.operations import Operations


def test_it_adds_up_by_kind_and_in_all():
    count = Operations()
    assert (count.by_work, count.total()) == ({}, 0)
    for work, number in (("gram", 3), ("products", 10), ("gram", 4)):
        count.add(work, number)
    assert (count.by_work, count.total()) == ({"gram": 7, "products": 10}, 17)


def test_no_two_counters_share_their_counts():
    first, second = Operations(), Operations()
    first.add("gram", 1)
    assert second.total() == 0
