variable "name" {
  description = "Names the balancer and what belongs to it; at most 24 characters."
  type        = string
  default     = "powerplay"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}$", var.name))
    error_message = "Lower case letters, digits and hyphens, at most 24."
  }
}

variable "vpc_id" {
  description = "Where the nodes are."
  type        = string
}

variable "subnet_ids" {
  description = "One public subnet for each zone that has nodes."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "A balancer in one zone is gone with it."
  }
}

variable "node_groups" {
  description = "The instances of each node group; a group is what `make roll GROUP=` restarts one by one."
  type        = map(list(string))
}

variable "node_security_group_id" {
  description = "Of the nodes; it is opened for the balancer here, and for nobody else."
  type        = string
}

variable "node_port" {
  description = "PORT of the nodes."
  type        = number
  default     = 3000
}

variable "ops_port" {
  description = "OPS_PORT of the nodes, whose OPS_HOST must be an address that the balancer reaches."
  type        = number
  default     = 13000
}

variable "certificate_arn" {
  description = "With one, TLS ends at the balancer on 443; null passes TCP on from port 80, for trying out."
  type        = string
  default     = null
}

variable "client_cidrs" {
  description = "Who may connect."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "deregistration_delay_seconds" {
  description = "How long connections live on after a node was taken out: more than DRAIN_MS of the nodes, and what was under way."
  type        = number
  default     = 60
}
