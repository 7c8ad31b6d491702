import time

import pytest
from sacred import SETTINGS

from rnnlab.errors import ConfigError, RnnlabError
from rnnlab.sweep.resolve import build_experiment, resolve


def test_a_config_is_that_of_a_run_with_named_configs_and_updates(script):
    name, config = resolve(script, ("short",), {"model": {"n_hidden": 7}, "seed": 3})
    experiment = build_experiment(script)
    run = experiment._create_run(
        None, {"model": {"n_hidden": 7}, "seed": 3}, ("short",), options={"--unobserved": True}
    )
    assert name == "sums"
    assert config == run.config
    assert (config["training"]["max_epochs"], config["model"]["n_hidden"], config["seed"]) == (1, 7, 3)


def test_one_config_leaves_no_trace_in_the_next(script):
    wrong = 'experiment.add_named_config("wrong", {"training": {"l1": {"nowhere": 1}, "extra": [1]}})'
    script.write_text(script.read_text().replace("    return experiment", f"    {wrong}\n    return experiment"))
    _, before = resolve(script, (), {})
    with pytest.raises(ConfigError):
        resolve(script, ("wrong", "short"), {})
    resolve(script, ("short",), {"task": {"n_steps": 9}, "training": {"l1": {"W_hh": 0.5}}})
    with pytest.raises(ConfigError):
        resolve(script, (), {"training": {"l1": {"nowhere": 0.5}}})
    assert resolve(script, (), {})[1] == before


@pytest.mark.parametrize(
    ("named", "updates", "key", "message"),
    [
        ((), {"model": {"n_hiden": 5}}, "model.n_hiden", "did you mean model.n_hidden?"),
        ((), {"model": {"n_hidden": 0}}, "model.n_hidden", "must be a whole number of at least 1"),
        ((), {"modle": {"n_hidden": 5}}, "modle", "did you mean model?"),
        ((), {"extra": 5}, "extra", "unknown config key extra"),
        (("shrot",), {}, "shrot", 'unknown named config "shrot"; did you mean "short"?'),
        (("short", "a.b"), {}, "a.b", 'unknown named config "a.b"'),
        ((), {"task": {"n_steps": "many"}}, "task", "config section task"),
    ],
)
def test_a_config_that_cannot_run_is_refused_with_its_key(script, named, updates, key, message):
    with pytest.raises(ConfigError) as raised:
        resolve(script, named, updates)
    assert raised.value.key == key
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def build(:", "cannot be imported: SyntaxError"),
        ("import no_such_module", "cannot be imported: ModuleNotFoundError: No module named 'no_such_module' (line 1)"),
        (
            "def f():\n    int('x')\n\nf()",
            "cannot be imported: ValueError: invalid literal for int() with base 10: 'x' (line 2)",
        ),
        ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3 (line 1)"),
        ("open('/no/such/file')", "cannot be imported: No such file or directory: /no/such/file"),
        ("x = 1", "has no build()"),
        ("def build():\n    raise ValueError('one\\ntwo')", "build() fails: ValueError: one (line 2)"),
        ("def build():\n    return 5", "build() gives 5: must give a Sacred Experiment"),
    ],
)
def test_a_script_that_cannot_be_used_is_one_line(tmp_path, text, message):
    (tmp_path / "bad.py").write_text(text + "\n")
    with pytest.raises(RnnlabError) as raised:
        resolve(tmp_path / "bad.py", (), {})
    assert str(raised.value).startswith(f"{tmp_path / 'bad.py'}: {message}")
    assert "\n" not in str(raised.value)


def test_a_script_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(RnnlabError, match=r"none\.py: cannot be imported: No such file"):
        resolve(tmp_path / "none.py", (), {})


def test_scripts_of_the_same_name_are_told_apart_and_may_import_what_lies_beside_them(tmp_path, script):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"beside_{name}.py").write_text(f"NAME = {name!r}\n")
        text = (
            script.read_text()
            .replace('Experiment("sums"', "Experiment(NAME")
            .replace("import time\n", f"import time\nfrom beside_{name} import NAME\n", 1)
        )
        (tmp_path / name / "sums.py").write_text(text)
    assert [resolve(tmp_path / name / "sums.py", (), {})[0] for name in ("one", "other")] == ["one", "other"]


def test_hundreds_of_variants_resolve_without_building_an_experiment_for_each(script):
    resolve(script, (), {})
    started = time.process_time()
    build_experiment(script)
    resolve(script, (), {"seed": 0})
    once = time.process_time() - started
    started = time.process_time()
    for seed in range(50):
        resolve(script, (), {"seed": seed})
    assert time.process_time() - started < 50 * once


def test_every_experiment_of_a_script_tells_all_sources_and_packages_though_they_are_listed_once(script):
    first, second = (build_experiment(script).get_experiment_info() for _ in range(2))
    assert first == second
    paths = [path for path, _ in first["sources"]]
    assert "sums.py" in paths
    assert any(path.endswith("rnnlab/run.py") for path in paths)
    assert any(name.startswith("pytensor==") for name in first["dependencies"])
    assert (SETTINGS.DISCOVER_SOURCES, SETTINGS.DISCOVER_DEPENDENCIES) == ("imported", "imported")


def test_values_that_a_script_derives_from_others_are_derived_anew_for_each_config(script):
    derived = (
        "    @experiment.config\n"
        "    def derived(seed):\n"
        '        data = {"seed": seed + 1}\n\n'
        '    experiment.add_config({"data": {"n_train": 5}})\n'
        "    return experiment"
    )
    script.write_text(script.read_text().replace("    return experiment", derived))
    assert [resolve(script, (), {"seed": seed})[1]["data"]["seed"] for seed in (3, 8)] == [4, 9]
