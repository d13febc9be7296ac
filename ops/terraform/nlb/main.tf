# A network load balancer in front of identical nodes: it passes connections on and knows nothing of what is in them, so hundreds of
# thousands of sockets cost it nothing. Clients keep their addresses, which the nodes' limits count by.

locals {
  instances = merge([
    for group, ids in var.node_groups : { for id in ids : "${group}/${id}" => id }
  ]...)
  listen_port = var.certificate_arn == null ? 80 : 443
}

resource "aws_security_group" "balancer" {
  name        = "${var.name}-balancer"
  description = "Clients of the game"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each          = toset(var.client_cidrs)
  security_group_id = aws_security_group.balancer.id
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = local.listen_port
  to_port           = local.listen_port
}

resource "aws_vpc_security_group_egress_rule" "to_nodes" {
  for_each                     = { game = var.node_port, ops = var.ops_port }
  security_group_id            = aws_security_group.balancer.id
  referenced_security_group_id = var.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_ingress_rule" "from_balancer" {
  for_each                     = { game = var.node_port, ops = var.ops_port }
  security_group_id            = var.node_security_group_id
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_lb" "this" {
  name               = var.name
  load_balancer_type = "network"
  subnets            = var.subnet_ids
  security_groups    = [aws_security_group.balancer.id]

  # A zone that lost its nodes still answers, and zones with few nodes do not get as much as those with many.
  enable_cross_zone_load_balancing = true
}

resource "aws_lb_target_group" "nodes" {
  name               = var.name
  vpc_id             = var.vpc_id
  target_type        = "instance"
  protocol           = "TCP"
  port               = var.node_port
  preserve_client_ip = true

  deregistration_delay   = var.deregistration_delay_seconds
  connection_termination = true

  # At the operators' port: what is asked at the clients' port counts against the rate of its address.
  health_check {
    protocol            = "HTTP"
    port                = tostring(var.ops_port)
    path                = "/readyz"
    matcher             = "200"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  # A node that drains is not ready, and tells its clients to move by itself, each in its time: cutting all of them off at
  # once would bring them to the others in one second.
  target_health_state {
    enable_unhealthy_connection_termination = false
    unhealthy_draining_interval             = var.deregistration_delay_seconds
  }
}

resource "aws_lb_target_group_attachment" "node" {
  for_each         = local.instances
  target_group_arn = aws_lb_target_group.nodes.arn
  target_id        = each.value
}

resource "aws_lb_listener" "clients" {
  load_balancer_arn = aws_lb.this.arn
  port              = local.listen_port
  protocol          = var.certificate_arn == null ? "TCP" : "TLS"
  certificate_arn   = var.certificate_arn
  ssl_policy        = var.certificate_arn == null ? null : "ELBSecurityPolicy-TLS13-1-2-2021-06"
  alpn_policy       = var.certificate_arn == null ? null : "HTTP1Only"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.nodes.arn
  }
}
