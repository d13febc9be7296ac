# terraform init && terraform test: what would be made, asked of a pretended AWS.
mock_provider "aws" {}

variables {
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-1", "subnet-2"]
  node_security_group_id = "sg-1"
  node_groups            = { a = ["i-1", "i-2"], b = ["i-3"] }
}

run "every_node_of_every_group_is_a_target" {
  command = plan

  assert {
    condition     = toset(keys(aws_lb_target_group_attachment.node)) == toset(["a/i-1", "a/i-2", "b/i-3"])
    error_message = "A node is missing."
  }
  assert {
    condition     = aws_lb.this.enable_cross_zone_load_balancing
    error_message = "Zones are not balanced."
  }
  assert {
    condition     = aws_lb_listener.clients.protocol == "TCP" && aws_lb_listener.clients.port == 80
    error_message = "Without a certificate TCP is passed on."
  }
}

run "a_node_is_asked_at_the_operators_port_and_drains_by_itself" {
  command = plan

  assert {
    condition = alltrue([
      aws_lb_target_group.nodes.health_check[0].path == "/readyz",
      aws_lb_target_group.nodes.health_check[0].port == "13000",
      aws_lb_target_group.nodes.preserve_client_ip == "true",
      !aws_lb_target_group.nodes.target_health_state[0].enable_unhealthy_connection_termination,
    ])
    error_message = "The balancer would cut off clients of a node that drains, or ask at the wrong door."
  }
}

run "with_a_certificate_tls_ends_at_the_balancer" {
  command = plan
  variables {
    certificate_arn = "arn:aws:acm:ap-south-1:123456789012:certificate/1"
  }

  assert {
    condition     = aws_lb_listener.clients.protocol == "TLS" && aws_lb_listener.clients.port == 443
    error_message = "TLS is not on 443."
  }
}

run "one_zone_is_refused" {
  command = plan
  variables {
    subnet_ids = ["subnet-1"]
  }
  expect_failures = [var.subnet_ids]
}
