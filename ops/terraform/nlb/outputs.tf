output "dns_name" {
  description = "Where clients connect; give it a name of your own as an alias record."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "For that alias record."
  value       = aws_lb.this.zone_id
}

output "target_group_arn" {
  description = "For an autoscaling group that brings nodes of its own."
  value       = aws_lb_target_group.nodes.arn
}
