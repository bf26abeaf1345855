"""AWS load balancers: the same rules in CloudFormation, Terraform's JSON and the command line's output."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.formats.alb import detect, read
from detour.formats.draft import Draft, LineFault
from tests.formats.layers import Answer, decide, layer_of

CLOUD_FORMATION = """\
Resources:
  Web:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref LB
      Protocol: HTTP
      Port: 80
      DefaultActions:
        - Type: redirect
          RedirectConfig: {Protocol: HTTPS, Port: '443', StatusCode: HTTP_301}
  Secure:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      Protocol: HTTPS
      Port: 443
      DefaultActions: [{Type: forward, TargetGroupArn: !Ref T}]
  Docs:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Secure
      Priority: 20
      Conditions:
        - {Field: path-pattern, PathPatternConfig: {Values: ['/docs/*', '/d?c']}}
        - {Field: host-header, Values: ['*.example.com']}
      Actions:
        - Type: redirect
          RedirectConfig:
            Host: 'docs.#{host}'
            Path: '/v2/#{path}'
            Query: 'from=docs&#{query}'
            StatusCode: HTTP_302
  Kept:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Secure
      Priority: 10
      Conditions: [{Field: path-pattern, Values: ['/docs/api/*']}]
      Actions: [{Type: forward, TargetGroupArn: !Ref T}]
"""


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://a.example.com/x?y=1", (301, "https://a.example.com/x?y=1")),
        ("https://a.example.com/x", None),
        (
            "https://a.example.com/docs/x?y=1",
            (302, "https://docs.a.example.com/v2/docs/x?from=docs&y=1"),
        ),
        ("https://a.example.com/dxc", (302, "https://docs.a.example.com/v2/dxc?from=docs&")),
        ("https://a.example.com/docs", None),
        ("https://a.example.com/docs/api/x", None),
        ("https://other.example/docs/x", None),
    ],
)
def test_a_cloud_formation_template_answers(url: str, answer: Answer) -> None:
    layer = layer_of("alb", CLOUD_FORMATION)
    assert layer.not_understood == ()
    assert decide(layer, "GET", url) == answer


def rules(*said: dict[str, Any]) -> str:
    return json.dumps(
        {"Rules": [{"RuleArn": "arn", "Priority": "1", "Conditions": [], **one} for one in said]}
    )


def to(**config: str) -> list[dict[str, Any]]:
    return [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_302", **config}}]


def test_described_rules_go_by_priority_and_the_default_is_last() -> None:
    layer = layer_of(
        "alb",
        rules(
            {"Priority": "default", "Actions": to(Host="last.example")},
            {
                "Priority": "9",
                "Actions": to(Host="nine.example"),
                "Conditions": [{"Field": "path-pattern", "Values": ["/a*"]}],
            },
            {
                "Priority": "3",
                "Actions": to(Host="three.example"),
                "Conditions": [
                    {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}},
                    {
                        "Field": "http-header",
                        "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["1", "2"]},
                    },
                    {
                        "Field": "query-string",
                        "QueryStringConfig": {"Values": [{"Key": "q", "Value": "z"}]},
                    },
                    {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24"]}},
                ],
            },
        ),
    )
    fields = (("X-A", "2"),)
    assert decide(layer, "POST", "http://h.example/a?q=z", fields, "192.0.2.7") == (
        302,
        "http://three.example/a?q=z",
    )
    assert decide(layer, "POST", "http://h.example/a?q=z", fields, "198.51.100.7") == (
        302,
        "http://nine.example/a?q=z",
    )
    assert decide(layer, "GET", "http://h.example/ab") == (302, "http://nine.example/ab")
    assert decide(layer, "GET", "http://h.example/b") == (302, "http://last.example/b")


def test_terraforms_json_reads_alike() -> None:
    text = json.dumps(
        {
            "resource": {
                "aws_lb_listener": {
                    "web": {
                        "port": "8080",
                        "protocol": "HTTP",
                        "default_action": {
                            "type": "redirect",
                            "redirect": {"protocol": "HTTPS", "status_code": "HTTP_301"},
                        },
                    }
                },
                "aws_lb_listener_rule": {
                    "old": {
                        "listener_arn": "${aws_lb_listener.web.arn}",
                        "priority": 5,
                        "action": [
                            {
                                "type": "redirect",
                                "redirect": {"path": "/new", "query": "", "status_code": "HTTP_302"},
                            }
                        ],
                        "condition": [{"path_pattern": {"values": ["/old"]}}],
                    }
                },
            }
        }
    )
    layer = layer_of("alb", text)
    assert layer.not_understood == ()
    assert decide(layer, "GET", "http://h.example:8080/old?x") == (302, "http://h.example:8080/new")
    assert decide(layer, "GET", "http://h.example:8080/x") == (301, "https://h.example:8080/x")


ARN = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/old/50dc6c495c0c9188/f2f7dc8efc522ab2"
LISTENER = {
    "type": "aws_lb_listener",
    "name": "web",
    "values": {
        "arn": ARN,
        "port": 80,
        "protocol": "HTTP",
        "default_action": [
            {
                "type": "redirect",
                "redirect": [
                    {"protocol": "HTTPS", "port": "443", "path": "/#{path}", "status_code": "HTTP_301"}
                ],
            }
        ],
    },
}
RULE = {
    "type": "aws_lb_listener_rule",
    "name": "old",
    "values": {
        "listener_arn": ARN,
        "priority": 5,
        "action": [{"type": "redirect", "redirect": [{"path": "/new", "status_code": "HTTP_302"}]}],
        "condition": [{"path_pattern": [{"values": ["/old"]}], "host_header": [], "source_ip": []}],
    },
}


@pytest.mark.parametrize("key", ["values", "planned_values"])
@pytest.mark.parametrize("child", [True, False])
def test_what_terraform_shows_reads_alike(key: str, child: bool) -> None:
    module: dict[str, Any] = {"resources": [LISTENER, RULE]}
    text = json.dumps(
        {"format_version": "1.0", key: {"root_module": {"child_modules": [module]} if child else module}}
    )
    assert detect(text)
    layer = layer_of("alb", text)
    assert layer.not_understood == ()
    assert decide(layer, "GET", "http://h.example/old?x") == (302, "http://h.example/new?x")
    assert decide(layer, "GET", "http://h.example/x?y") == (301, "https://h.example/x?y")
    assert decide(layer, "GET", "https://h.example/x") is None


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ({"Actions": to(StatusCode="HTTP_307", Host="x")}, "the status is neither HTTP_301 nor HTTP_302"),
        ({"Actions": to(Query="a=b")}, "at most the query changes"),
        ({"Actions": to(Protocol="FTP")}, "a redirect to 'FTP'"),
        ({"Actions": to(Path="x")}, "no slash before the path in 'x'"),
        ({"Actions": to(Path="/a#{path}")}, "no slash before the path in '/a#{path}'"),
        ({"Actions": to(Path="/#{other}")}, "`#{other}` stands where it means nothing"),
        ({"Actions": to(Host="${x}")}, "'${x}' is known only where it is deployed"),
        (
            {
                "Actions": to(Host="x.example"),
                "Conditions": [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1/8"]}}],
            },
            "'10.0.0.1/8' is no address and no network",
        ),
        ({"Actions": "R"}, "'R' where a table belongs"),
        (
            {
                "Actions": to(Host="x.example"),
                "Conditions": [
                    {
                        "Field": "http-header",
                        "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["a*"]},
                    }
                ],
            },
            "the value 'a*' has a wildcard",
        ),
    ],
)
def test_what_cannot_be_expressed_is_listed(said: dict[str, Any], fact: str) -> None:
    assert [one.fact for one in layer_of("alb", rules(said)).not_understood] == [fact]


@pytest.mark.parametrize(
    "field", ["path-pattern", "host-header", "http-header", "http-request-method", "source-ip"]
)
def test_a_condition_whose_values_are_not_read_is_listed_and_the_rule_not_dropped(field: str) -> None:
    config = "".join(part.title() for part in field.split("-")) + "Config"
    condition = {"Field": field, config: {"RegexValues": ["^/a$"], "HttpHeaderName": "X-A"}}
    layer = layer_of("alb", rules({"Actions": to(Host="x.example"), "Conditions": [condition]}))
    assert [one.fact for one in layer.not_understood] == [f"the condition {field} lists no `Values`"]


def test_https_to_http_is_refused_as_the_load_balancer_does() -> None:
    text = CLOUD_FORMATION.replace("Host: 'docs.#{host}'", "Protocol: HTTP")
    assert [one.fact for one in layer_of("alb", text).not_understood] == ["a redirect from HTTPS to HTTP"]


@given(st.text(), st.integers(0, 1300), st.integers(0, 40))
def test_any_text_and_mutilated_templates_yield_drafts_and_faults(text: str, cut: int, gap: int) -> None:
    for one in (text, CLOUD_FORMATION[:cut] + text + CLOUD_FORMATION[cut + gap :]):
        assert isinstance(detect(one), bool)
        assert all(isinstance(line, Draft | LineFault) for line in read(one))
