from stream.table import OVERHEAD, batches


def twin(name, journal):
    return [(b"j|" + name + b"|1", b"j" * journal), (b"c|" + name, b"c" * 50), (b"t|" + name, b"h" * 50)]


def weight(batch):
    return sum(len(key) + len(value) + OVERHEAD for key, value in batch)


def test_a_twin_is_never_cut():
    twins = [twin(b"%d" % number, 100 * (number % 7)) for number in range(50)]
    records = [record for one in twins for record in one]
    made = list(batches(records, 1000))

    assert [record for batch in made for record in batch] == records
    assert all(batch[-1][0].startswith(b"t|") for batch in made)
    assert len(made) > 10
    assert all(weight(batch) <= 1000 for batch in made)


def test_one_that_is_larger_travels_alone():
    made = list(batches([*twin(b"a", 10), *twin(b"b", 5000), *twin(b"c", 10)], 1000))

    assert [batch[-1][0] for batch in made] == [b"t|a", b"t|b", b"t|c"]


def test_nothing_makes_no_batch():
    assert list(batches([], 1000)) == []
