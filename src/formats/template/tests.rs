use super::{Template, write};
use crate::document::path::ValuePath;
use crate::error::{Failure, Result};
use crate::formats::variables::variables;
use crate::secret::Secret;
use crate::value::Value;
use crate::view::View;

fn value(value: Value) -> View {
    View::Value(value, false)
}

fn text(text: &str) -> View {
    value(Value::text(text))
}

fn mapping<const N: usize>(members: [(&str, View); N]) -> View {
    View::Mapping(members.into_iter().map(|(key, view)| (key.to_owned(), view)).collect())
}

fn view() -> View {
    mapping([
        (
            "database",
            mapping([("password", text("p\"1\"")), ("port", value(Value::Integer(5432)))]),
        ),
        ("version", text("1.10")),
        ("pin", text("007")),
        ("flag", value(Value::Bool(false))),
        ("nothing", value(Value::Null)),
        ("hosts", View::List(vec![text("a"), text("b c")])),
        ("cert", text("one\n\ntwo\n")),
        ("der", value(Value::Bytes(Secret::new(vec![0xff, 0x20])))),
        ("ports", mapping([("8080", text("web")), ("a-b", text("dash"))])),
    ])
}

fn rendered(template: &str) -> Result<String> {
    let view = view();
    let variables = variables(view.entries(), ValuePath::variable_name);
    let template = Template {
        name: "a.j2".to_owned(),
        text: template.to_owned(),
    };
    let text = write(&template, view, variables)?;
    Ok(String::from_utf8(text.to_vec()).expect("text"))
}

fn refused(template: &str) -> String {
    let failure = rendered(template).expect_err(template).downcast::<Failure>();
    let failure = failure.expect("a failure");
    assert_eq!(failure.kind().exit_code(), 1);
    failure.message().to_owned()
}

#[test]
fn values_are_found_by_path_and_by_variable() {
    for (template, expected) in [
        ("{{ database.password }}\n", "p\"1\"\n"),
        ("{{ DATABASE_PASSWORD }}", "p\"1\""),
        ("{{ env.DATABASE_PORT }}{{ env['PIN'] }}", "5432007"),
        (
            "{{ version }} {{ pin }} {{ flag }} [{{ nothing }}]",
            "1.10 007 false []",
        ),
        ("{{ hosts[1] }} {{ hosts.0 }} {{ HOSTS_1 }}", "b c a b c"),
        (
            "{{ ports['8080'] }} {{ ports[8080] }} {{ ports['a-b'] }}",
            "web web dash",
        ),
        ("<{{ '<&' }}>", "<<&>"),
        ("{{ flag ~ nothing ~ database.port }}", "FalseNone5432"),
        ("{% set x = database %}{{ x.port + 1 }}", "5433"),
    ] {
        assert_eq!(rendered(template).expect(template), expected, "{template}");
    }
}

#[test]
fn values_are_typed_in_loops_and_conditions() {
    for (template, expected) in [
        (
            "{% for host in hosts %}{{ loop.index }}={{ host }};{% endfor %}",
            "1=a;2=b c;",
        ),
        (
            "{% for key, value in database | items %}{{ key }}:{{ value }};{% endfor %}",
            "password:p\"1\";port:5432;",
        ),
        ("{% for key in ports %}{{ key }};{% endfor %}", "8080;a-b;"),
        (
            "{% for name in env %}{{ name }} {% endfor %}{{ env | length }}",
            "DATABASE_PASSWORD DATABASE_PORT VERSION PIN FLAG HOSTS_0 HOSTS_1 CERT DER PORTS_8080 PORTS_A_B 11",
        ),
        ("{% if flag %}yes{% else %}no{% endif %}", "no"),
        ("{% if database.port > 5000 %}high{% endif %}", "high"),
        ("{% if missing is defined %}there{% endif %}", ""),
        (
            "{{ missing | default('x') }} {{ database.missing | default('y') }}",
            "x y",
        ),
        (
            "{% if nothing is none and hosts is sequence and 'a' in hosts %}so{% endif %}",
            "so",
        ),
    ] {
        assert_eq!(rendered(template).expect(template), expected, "{template}");
    }
}

#[test]
fn filters_write_what_another_language_reads() {
    for (template, expected) in [
        (
            "{{ pin | base64 }} {{ database.port | base64 }} {{ der | base64 }}",
            "MDA3 NTQzMg== /yA=",
        ),
        ("{{ database | json }}", r#"{"password":"p\"1\"","port":5432}"#),
        (
            "{{ hosts | tojson }} {{ nothing | json }} {{ flag | json }}",
            r#"["a","b c"] null false"#,
        ),
        (
            "{{ pin | yaml }} {{ database.port | yaml }} {{ der | yaml }}",
            "\"007\" 5432 !!binary \"/yA=\"",
        ),
        (
            "{{ cert | yaml }} {{ hosts | yaml }}",
            "\"one\\n\\ntwo\\n\" [\"a\",\"b c\"]",
        ),
        (
            "{{ \"it's\" | shell }} {{ nothing | shell }} {{ flag | shell }}",
            r"'it'\''s' '' 'false'",
        ),
        ("{{ 'a b/é?' | url }} {{ der | url }}", "a%20b%2F%C3%A9%3F %FF%20"),
        ("{{ cert | indent(2) }}|", "one\n\n  two\n|"),
        ("{{ hosts | join(',') | upper }}", "A,B C"),
    ] {
        assert_eq!(rendered(template).expect(template), expected, "{template}");
    }
}

#[test]
fn what_is_missing_is_named_with_its_line() {
    for (template, place) in [
        (
            "\n{{ database.passwrod }}",
            " line 2: there is no value at `database.passwrod`",
        ),
        ("{{ missing.deep }}", " line 1: there is no value at `missing`"),
        ("{{ missing ~ pin }}", " line 1: there is no value at `missing`"),
        ("{{ hosts[2] }}", " line 1: there is no value at `hosts.2`"),
        ("{{ MISSING | base64 }}", " line 1: there is no value at `MISSING`"),
        ("{{ env.MISSING | json }}", " line 1: there is no value at `MISSING`"),
        (
            "{% for x in missing %}{% endfor %}",
            " line 1: there is no value at `missing`",
        ),
        ("{% if missing %}{% endif %}", " line 1: there is no value at `missing`"),
    ] {
        assert_eq!(refused(template), format!("`a.j2`{place}"), "{template}");
    }
}

#[test]
fn errors_never_quote_a_value() {
    for template in [
        "{{ version - 1 }}",
        "{{ version + 1 }}",
        "{{ database.port // 0 }}",
        "{{ database.port * 99999999999999999999999999999999999 }}",
        "{{ version() }}",
        "{{ version.nope() }}",
        "{{ version | first | length | items }}",
        "{{ -version }}",
        "{% for x in flag %}{% endfor %}",
        "{% for a, b in [version] %}{% endfor %}",
        "{{ hosts | replace(version, version, version, version) }}",
        "{{ der | shell }}",
        "{{ der ~ version }}",
        "{{ {database: version} }}",
    ] {
        let message = refused(template);
        for value in ["1.10", "5432", "p\"1"] {
            assert!(!message.contains(value), "{template}: {message}");
        }
    }
}

#[test]
fn what_cannot_be_printed_says_what_to_write() {
    let words = "a mapping or a list cannot be printed; name a value in it, or write `| json`";
    assert_eq!(refused("\n\n{{ database }}"), format!("`a.j2` line 3: {words}"));
    assert_eq!(refused("{{ [pin] }}"), format!("`a.j2` line 1: {words}"));
    let words = "the value of `der` is not UTF-8 text";
    assert_eq!(refused("{{ der }}"), format!("`a.j2`: {words}"));
    assert_eq!(refused("{{ pin ~ der }}"), format!("`a.j2`: {words}"));
    assert_eq!(
        refused("{{ DER | json }}"),
        "`a.j2`: the value of `DER` is not UTF-8 text"
    );
    let words = "this filter takes one value, not a mapping or a list";
    assert_eq!(refused("{{ hosts | base64 }}"), format!("`a.j2` line 1: {words}"));
}

#[test]
fn nothing_else_is_reached() {
    for (template, words) in [
        ("{% include 'other' %}", "unknown statement include"),
        ("{% import 'other' as x %}", "unknown statement import"),
        ("{% extends 'other' %}", "unknown statement extends"),
        ("{{ pin | nope }}", "filter nope is unknown"),
        ("{{ debug() }}", "debug is unknown"),
        ("{{ range(3) }}", "range is unknown"),
    ] {
        assert_eq!(refused(template), format!("`a.j2` line 1: {words}"), "{template}");
    }
}

#[test]
fn work_is_bounded() {
    let hundred = format!("[{}]", "0,".repeat(100));
    let nested = "{% for a in h %}".repeat(5) + "x" + &"{% endfor %}".repeat(5);
    let message = refused(&format!("{{% set h = {hundred} %}}{nested}"));
    assert_eq!(message, "`a.j2` line 1: the template takes too many steps");
    let message = refused("{% set x = 'x' * 1000000 %}{% for a in [0] * 100 %}{{ x }}{% endfor %}");
    assert_eq!(message, "`a.j2`: the template writes more than 64 MiB");
    assert!(refused(&"{{ (".repeat(100_000)).starts_with("`a.j2` line 1: "));
}

#[test]
fn variables_with_one_name_matter_only_to_those_who_ask_for_one() {
    let view = || mapping([("a-b", text("1")), ("a_b", text("2"))]);
    let write = |text: &str| {
        let template = Template {
            name: "a.j2".to_owned(),
            text: text.to_owned(),
        };
        let view = view();
        let variables = variables(view.entries(), ValuePath::variable_name);
        write(&template, view, variables)
    };
    assert_eq!(&*write("{{ a_b }}").expect("written"), b"2");
    for template in ["{{ A_B }}", "{% for name in env %}{% endfor %}"] {
        let failure = write(template)
            .expect_err(template)
            .downcast::<Failure>()
            .expect("a failure");
        assert_eq!(
            failure.message(),
            "`a.j2`: `a-b` and `a_b` both become the variable `A_B`"
        );
    }
}
